//! Lists the encodings that are known, and where iconv's tables are not those of the Encoding Standard.
//!
//! The names are those that both have, and three more of iconv's and git's: `cp932`, `cp936` and `latin-1`. The
//! differences were found by converting all codes and all characters with both, iconv being that of glibc 2.36 (its
//! tables are in `iconvdata`), the standard that of <https://encoding.spec.whatwg.org/#indexes>; the test does so again,
//! with the iconv of the machine it runs on. Codes and characters of which both have none need no mention.

use gix::filter::plumbing::encoding::{
    BIG5, EUC_JP, EUC_KR, GB18030, GBK, IBM866, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5, ISO_8859_6,
    ISO_8859_7, ISO_8859_8, ISO_8859_10, ISO_8859_13, ISO_8859_14, ISO_8859_15, ISO_8859_16, KOI8_R, KOI8_U,
    MACINTOSH, SHIFT_JIS, WINDOWS_874, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254,
    WINDOWS_1256, WINDOWS_1257,
};

use super::{Charset, Encoding};

/// The encodings.
pub const ALL: &[Charset] = &[
    // Others than the standard has under these names.
    Charset {
        names: &["ascii", "us-ascii", "ansi_x3.4-1968"],
        absent: &[(0x80, 0xff)],
        ..as_in(WINDOWS_1252)
    },
    Charset {
        names: &[
            "l1",
            "cp819",
            "latin1",
            "ibm819",
            "iso88591",
            "iso8859-1",
            "iso-ir-100",
            "iso-8859-1",
            "iso_8859-1",
            "csisolatin1",
            "iso_8859-1:1987",
            "latin-1",
        ],
        other: &[(0x80, 0x9f, '\u{80}')],
        ..as_in(WINDOWS_1252)
    },
    Charset {
        names: &[
            "l5",
            "latin5",
            "iso88599",
            "iso8859-9",
            "iso-ir-148",
            "iso-8859-9",
            "iso_8859-9",
            "csisolatin5",
            "iso_8859-9:1989",
        ],
        other: &[(0x80, 0x9f, '\u{80}')],
        ..as_in(WINDOWS_1254)
    },
    Charset {
        names: &["iso885911", "iso8859-11", "iso-8859-11"],
        other: &[(0x80, 0x9f, '\u{80}')],
        ..as_in(WINDOWS_874)
    },
    Charset { names: &["tis-620"], absent: &[(0x80, 0xa0)], ..as_in(WINDOWS_874) },
    Charset { names: &["koi8"], absent: &[(0x80, 0xbf), (0xff, 0xff)], ..as_in(KOI8_R) },
    // Alike.
    Charset {
        names: &[
            "l2",
            "latin2",
            "iso88592",
            "iso8859-2",
            "iso-ir-101",
            "iso-8859-2",
            "iso_8859-2",
            "csisolatin2",
            "iso_8859-2:1987",
        ],
        ..as_in(ISO_8859_2)
    },
    Charset {
        names: &[
            "l3",
            "latin3",
            "iso88593",
            "iso8859-3",
            "iso-8859-3",
            "iso_8859-3",
            "iso-ir-109",
            "csisolatin3",
            "iso_8859-3:1988",
        ],
        ..as_in(ISO_8859_3)
    },
    Charset {
        names: &[
            "l4",
            "latin4",
            "iso88594",
            "iso8859-4",
            "iso-ir-110",
            "iso-8859-4",
            "iso_8859-4",
            "csisolatin4",
            "iso_8859-4:1988",
        ],
        ..as_in(ISO_8859_4)
    },
    Charset {
        names: &[
            "iso88595",
            "cyrillic",
            "iso8859-5",
            "iso-ir-144",
            "iso-8859-5",
            "iso_8859-5",
            "iso_8859-5:1988",
            "csisolatincyrillic",
        ],
        ..as_in(ISO_8859_5)
    },
    Charset {
        names: &[
            "arabic",
            "ecma-114",
            "iso88596",
            "asmo-708",
            "iso8859-6",
            "iso-8859-6",
            "iso_8859-6",
            "iso-ir-127",
            "iso_8859-6:1987",
            "csisolatinarabic",
        ],
        ..as_in(ISO_8859_6)
    },
    Charset {
        names: &[
            "greek",
            "greek8",
            "iso88597",
            "ecma-118",
            "elot_928",
            "iso8859-7",
            "iso-ir-126",
            "iso-8859-7",
            "iso_8859-7",
            "iso_8859-7:1987",
            "csisolatingreek",
        ],
        ..as_in(ISO_8859_7)
    },
    Charset {
        names: &[
            "hebrew",
            "iso88598",
            "iso8859-8",
            "iso-8859-8",
            "iso_8859-8",
            "iso-ir-138",
            "iso_8859-8:1988",
            "csisolatinhebrew",
        ],
        ..as_in(ISO_8859_8)
    },
    Charset {
        names: &["l6", "latin6", "iso885910", "iso8859-10", "iso-ir-157", "iso-8859-10", "csisolatin6"],
        ..as_in(ISO_8859_10)
    },
    Charset { names: &["iso885913", "iso8859-13", "iso-8859-13"], ..as_in(ISO_8859_13) },
    Charset { names: &["iso885914", "iso8859-14", "iso-8859-14"], ..as_in(ISO_8859_14) },
    Charset { names: &["iso885915", "iso8859-15", "iso-8859-15", "iso_8859-15"], ..as_in(ISO_8859_15) },
    Charset { names: &["iso-8859-16"], ..as_in(ISO_8859_16) },
    Charset { names: &["866", "cp866", "ibm866", "csibm866"], ..as_in(IBM866) },
    Charset { names: &["koi8-r", "cskoi8r"], ..as_in(KOI8_R) },
    Charset { names: &["cp1256", "windows-1256"], ..as_in(WINDOWS_1256) },
    // A few characters are others.
    Charset {
        names: &["koi8-u"],
        other: &[(0xae, 0xae, '\u{255d}'), (0xbe, 0xbe, '\u{256c}')],
        ..as_in(KOI8_U)
    },
    Charset {
        names: &["mac", "macintosh", "csmacintosh"],
        other: &[(0xc6, 0xc6, '\u{394}'), (0xf0, 0xf0, '\u{e01e}')],
        ..as_in(MACINTOSH)
    },
    // The standard has control characters where these have nothing.
    Charset {
        names: &["cp1250", "windows-1250"],
        absent: &[(0x81, 0x81), (0x83, 0x83), (0x88, 0x88), (0x90, 0x90), (0x98, 0x98)],
        ..as_in(WINDOWS_1250)
    },
    Charset { names: &["cp1251", "windows-1251"], absent: &[(0x98, 0x98)], ..as_in(WINDOWS_1251) },
    Charset {
        names: &["cp1252", "windows-1252"],
        absent: &[(0x81, 0x81), (0x8d, 0x8d), (0x8f, 0x90), (0x9d, 0x9d)],
        ..as_in(WINDOWS_1252)
    },
    Charset {
        names: &["cp1253", "windows-1253"],
        absent: &[
            (0x81, 0x81),
            (0x88, 0x88),
            (0x8a, 0x8a),
            (0x8c, 0x90),
            (0x98, 0x98),
            (0x9a, 0x9a),
            (0x9c, 0x9f),
        ],
        ..as_in(WINDOWS_1253)
    },
    Charset {
        names: &["cp1254", "windows-1254"],
        absent: &[(0x81, 0x81), (0x8d, 0x90), (0x9d, 0x9e)],
        ..as_in(WINDOWS_1254)
    },
    Charset {
        names: &["cp1257", "windows-1257"],
        absent: &[
            (0x81, 0x81),
            (0x83, 0x83),
            (0x88, 0x88),
            (0x8a, 0x8a),
            (0x8c, 0x8c),
            (0x90, 0x90),
            (0x98, 0x98),
            (0x9a, 0x9a),
            (0x9c, 0x9c),
            (0x9f, 0x9f),
        ],
        ..as_in(WINDOWS_1257)
    },
    Charset {
        names: &["windows-874"],
        absent: &[(0x81, 0x84), (0x86, 0x90), (0x98, 0x9f)],
        ..as_in(WINDOWS_874)
    },
    // JIS X 0201 and 0208, without what Microsoft, NEC and IBM have added.
    Charset {
        names: &["sjis", "ms_kanji", "shift-jis", "shift_jis", "csshiftjis"],
        absent: &[(0x80, 0x80), (0x8740, 0x879c), (0xed40, 0xfcfc)],
        other: &[
            (0x5c, 0x5c, '\u{a5}'),
            (0x7e, 0x7e, '\u{203e}'),
            (0x8160, 0x8160, '\u{301c}'),
            (0x8161, 0x8161, '\u{2016}'),
            (0x817c, 0x817c, '\u{2212}'),
            (0x8191, 0x8192, '\u{a2}'),
            (0x81ca, 0x81ca, '\u{ac}'),
        ],
        written: &[
            ('\\', 0x5c),
            ('~', 0x7e),
            ('\u{ffe0}', 0x8191),
            ('\u{ffe1}', 0x8192),
            ('\u{ffe2}', 0x81ca),
        ],
        ..as_in(SHIFT_JIS)
    },
    // The same with these additions.
    Charset {
        names: &["ms932", "windows-31j", "cp932"],
        absent: &[(0x80, 0x80)],
        unsure: &[
            ('\u{a2}', '\u{a3}'),
            ('\u{a5}', '\u{a5}'),
            ('\u{ac}', '\u{ac}'),
            ('\u{2014}', '\u{2014}'),
            ('\u{2016}', '\u{2016}'),
            ('\u{203e}', '\u{203e}'),
            ('\u{2212}', '\u{2212}'),
            ('\u{301c}', '\u{301c}'),
            ('\u{e000}', '\u{e757}'),
        ],
        ..as_in(SHIFT_JIS)
    },
    // The standard reads the characters of JIS X 0212, and does not write them.
    Charset {
        names: &["euc-jp", "cseucpkdfmtjapanese"],
        absent: &[(0xada1, 0xadfc), (0xf9a1, 0xfcfe)],
        other: &[
            (0x80, 0x8d, '\u{80}'),
            (0x90, 0x9f, '\u{90}'),
            (0xa1c1, 0xa1c1, '\u{301c}'),
            (0xa1c2, 0xa1c2, '\u{2016}'),
            (0xa1dd, 0xa1dd, '\u{2212}'),
            (0xa1f1, 0xa1f2, '\u{a2}'),
            (0xa2cc, 0xa2cc, '\u{ac}'),
        ],
        written: &[('\u{a5}', 0x5c), ('\u{203e}', 0x7e)],
        unwritten: &[(0x8fa1a1, 0x8ffefe)],
        ..as_in(EUC_JP)
    },
    // The standard has GBK under these names.
    Charset {
        names: &["gb2312", "csgb2312"],
        absent: &[
            (0x80, 0x80),
            (0x81308130, 0xfe39fe39),
            (0x8140, 0xa0fe),
            (0xa140, 0xa1a0),
            (0xa240, 0xa2b0),
            (0xa2e3, 0xa2e4),
            (0xa2ef, 0xa2f0),
            (0xa2fd, 0xa2fe),
            (0xa340, 0xa8a0),
            (0xa4f4, 0xa4fe),
            (0xa5f7, 0xa5fe),
            (0xa6b9, 0xa6c0),
            (0xa6d9, 0xa6fe),
            (0xa7c2, 0xa7d0),
            (0xa7f2, 0xa7fe),
            (0xa8bb, 0xa8c4),
            (0xa8ea, 0xa8fe),
            (0xa940, 0xa9a3),
            (0xa9f0, 0xa9fe),
            (0xaa40, 0xaffe),
            (0xb040, 0xf7a0),
            (0xd7fa, 0xd7fe),
            (0xf840, 0xfefe),
        ],
        other: &[(0xa1a4, 0xa1a4, '\u{30fb}'), (0xa1aa, 0xa1aa, '\u{2015}')],
        ..as_in(GBK)
    },
    // The standard adds characters of GB 18030 and for private use.
    Charset {
        names: &["gbk", "cp936"],
        absent: &[
            (0x81308130, 0xfe39fe39),
            (0xa140, 0xa7a0),
            (0xa2ab, 0xa2b0),
            (0xa2e3, 0xa2e4),
            (0xa2ef, 0xa2f0),
            (0xa2fd, 0xa2fe),
            (0xa4f4, 0xa4fe),
            (0xa5f7, 0xa5fe),
            (0xa6b9, 0xa6c0),
            (0xa6d9, 0xa6df),
            (0xa6ec, 0xa6ed),
            (0xa6f3, 0xa6f3),
            (0xa6f6, 0xa6fe),
            (0xa7c2, 0xa7d0),
            (0xa7f2, 0xa7fe),
            (0xa896, 0xa8a0),
            (0xa8bc, 0xa8bc),
            (0xa8bf, 0xa8bf),
            (0xa8c1, 0xa8c4),
            (0xa8ea, 0xa8fe),
            (0xa958, 0xa958),
            (0xa95b, 0xa95b),
            (0xa95d, 0xa95f),
            (0xa989, 0xa995),
            (0xa997, 0xa9a3),
            (0xa9f0, 0xa9fe),
            (0xaaa1, 0xaffe),
            (0xd7fa, 0xd7fe),
            (0xf8a1, 0xfdfe),
            (0xfe50, 0xfefe),
        ],
        ..as_in(GBK)
    },
    // What the editions of 2000, 2005 and 2022 have not alike.
    Charset {
        names: &["gb18030"],
        absent: &[
            (0x80, 0x80),
            (0xa3a0, 0xa3a0),
            (0xfe51, 0xfe53),
            (0xfe6c, 0xfe6c),
            (0xfe76, 0xfe76),
            (0xfe91, 0xfe91),
            (0x82359037, 0x82359039),
            (0x82359130, 0x82359134),
            (0x84318236, 0x84318239),
            (0x84318330, 0x84318335),
            (0x95329031, 0x95329031),
            (0x95329033, 0x95329033),
            (0x95329730, 0x95329730),
            (0x9536b937, 0x9536b937),
            (0x9630ba35, 0x9630ba35),
            (0x9635b630, 0x9635b630),
        ],
        unsure: &[
            ('\u{e5e5}', '\u{e5e5}'),
            ('\u{e78d}', '\u{e796}'),
            ('\u{e816}', '\u{e818}'),
            ('\u{e81e}', '\u{e81e}'),
            ('\u{e826}', '\u{e826}'),
            ('\u{e82b}', '\u{e82c}'),
            ('\u{e831}', '\u{e832}'),
            ('\u{e83b}', '\u{e83b}'),
            ('\u{e843}', '\u{e843}'),
            ('\u{e854}', '\u{e855}'),
            ('\u{e864}', '\u{e864}'),
            ('\u{20087}', '\u{20087}'),
            ('\u{20089}', '\u{20089}'),
            ('\u{200cc}', '\u{200cc}'),
            ('\u{215d7}', '\u{215d7}'),
            ('\u{2298f}', '\u{2298f}'),
            ('\u{241fe}', '\u{241fe}'),
        ],
        ..as_in(GB18030)
    },
    // KS X 1001, without Microsoft's additions.
    Charset {
        names: &["euc-kr", "cseuckr"],
        absent: &[(0x8141, 0xa0fe), (0xa141, 0xc5a0), (0xc641, 0xc652)],
        other: &[(0x80, 0x9f, '\u{80}'), (0xa2e8, 0xa2e8, '\u{327e}')],
        unsure: &[('\u{20a9}', '\u{20a9}')],
        ..as_in(EUC_KR)
    },
    // Without the additions of Hong Kong; those of ETEN are read in different ways.
    Charset {
        names: &["big5", "cn-big5"],
        absent: &[(0x8740, 0xa0fe), (0xa3c0, 0xa3e0), (0xc6a1, 0xc6fe), (0xc740, 0xc8fe), (0xfa40, 0xfefe)],
        other: &[(0xf9fe, 0xf9fe, '\u{2593}')],
        written: &[
            ('\u{2550}', 0xa2a4),
            ('\u{255e}', 0xa2a5),
            ('\u{2561}', 0xa2a7),
            ('\u{256a}', 0xa2a6),
            ('\u{4edd}', 0xc969),
        ],
        unsure: &[('\u{80}', '\u{80}'), ('\u{f6b1}', '\u{f848}')],
        ..as_in(BIG5)
    },
];

/// An encoding that is in iconv as it is in the Encoding Standard.
const fn as_in(base: &'static Encoding) -> Charset {
    Charset { names: &[], base, absent: &[], other: &[], written: &[], unwritten: &[], unsure: &[] }
}
