//! Determines which certificates are trusted, and which one this side presents.
//!
//! The former by `http.sslVerify`, `http.sslCAInfo` and `http.sslCAPath`, the latter by `http.sslCert` and
//! `http.sslKey`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use reqwest::{Certificate, ClientBuilder, Identity};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};

/// The settings about certificates.
pub(super) struct Trust {
    /// A file of certificates that replaces the system's trusted ones.
    pub ca_info: Option<PathBuf>,
    /// A directory of certificates that are trusted in addition.
    pub ca_path: Option<PathBuf>,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub verify: bool,
}

impl Trust {
    /// Applies the settings to a client; an error says what is wrong with one.
    pub fn apply(&self, mut builder: ClientBuilder) -> Result<ClientBuilder, String> {
        let in_folder = self.ca_path.as_deref().map(folder).transpose()?.unwrap_or_default();
        let own = self.certificate.as_deref().map(|certificate| self.own(certificate)).transpose()?;
        if let (true, Some(file)) = (self.verify, &self.ca_info) {
            let bad = |words: String| format!("http.sslCAInfo: {}: {words}", file.display());
            let pem = std::fs::read(file).map_err(|error| bad(error.to_string()))?;
            let mut trusted = certificates(&pem).map_err(bad)?;
            trusted.extend(in_folder);
            return Ok(builder.tls_backend_preconfigured(only(trusted, own.as_deref())?));
        }
        for certificate in in_folder {
            let certificate = Certificate::from_der(&certificate).map_err(|error| sanitize::error(&error))?;
            builder = builder.tls_certs_merge([certificate]);
        }
        if let Some(pem) = own {
            let identity = Identity::from_pem(&pem);
            builder = builder.identity(identity.map_err(|error| bad_identity(&error))?);
        }
        Ok(if self.verify { builder } else { builder.tls_danger_accept_invalid_certs(true) })
    }

    /// Returns the client certificate and its key.
    fn own(&self, certificate: &Path) -> Result<Vec<u8>, String> {
        let mut pem = Vec::new();
        for file in [Some(certificate), self.key.as_deref()].into_iter().flatten() {
            pem.extend(
                std::fs::read(file).map_err(|error| format!("http.sslCert: {}: {error}", file.display()))?,
            );
            pem.push(b'\n');
        }
        Ok(pem)
    }
}

fn bad_identity(error: &(dyn std::error::Error + 'static)) -> String {
    format!("http.sslCert: {}", sanitize::error(error))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|error| sanitize::error(&error))
}

/// Returns all certificates in the files of a directory; other files are ignored.
fn folder(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bad = |error: std::io::Error| format!("http.sslCAPath: {}: {error}", path.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(bad)? {
        let pem = std::fs::read(entry.map_err(bad)?.path()).unwrap_or_default();
        found.extend(certificates(&pem).unwrap_or_default());
    }
    Ok(found)
}

/// Returns a configuration that trusts only these certificates. It sets ALPN as reqwest would.
fn only(trusted: Vec<CertificateDer<'static>>, own: Option<&[u8]>) -> Result<ClientConfig, String> {
    let verifier = Named::of(trusted).map_err(|error| format!("http.sslCAInfo: {error}"))?;
    let builder = ClientConfig::builder().dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match own {
        Some(pem) => {
            let key = PrivateKeyDer::from_pem_slice(pem).map_err(|error| bad_identity(&error))?;
            let chain = certificates(pem).map_err(|words| format!("http.sslCert: {words}"))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| bad_identity(&error))?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Trusts servers whose certificate is signed by one of the named certificates, or is one of them.
///
/// The latter is how a self-signed server is trusted. Such a certificate often claims to be a CA's, which webpki does
/// not accept from a server. It is then accepted if it is byte for byte one of those named, is for this server's
/// name, and webpki has no other objection: webpki checks the validity period before the purpose. That the server has
/// the private key is verified as always.
#[derive(Debug)]
struct Named {
    certificates: Vec<CertificateDer<'static>>,
    inner: Arc<WebPkiServerVerifier>,
}

impl Named {
    fn of(certificates: Vec<CertificateDer<'static>>) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        // A certificate that cannot sign others may still be a server's.
        roots.add_parsable_certificates(certificates.iter().cloned());
        let inner = WebPkiServerVerifier::builder(Arc::new(roots))
            .build()
            .map_err(|error| sanitize::error(&error))?;
        Ok(Self { certificates, inner })
    }
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.inner.verify_server_cert(end_entity, intermediates, name, ocsp_response, now) {
            // The wrong purpose has no error variant of its own.
            Err(Error::InvalidCertificate(CertificateError::Other(_)))
                if self.certificates.contains(end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where")]
mod tests {
    use std::time::Duration;

    use super::*;

    /// For `localhost` and ten years, signed with its own key, and marked as a CA: what `openssl req -x509` makes.
    const SELF_SIGNED: &[u8] = b"\
-----BEGIN CERTIFICATE-----
MIIBlDCCATmgAwIBAgIULsYP+dK5eDOJOEcZ09ID0GzEthowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MB4XDTI2MTEyMjE0NTAzOFoXDTM2MTExOTE0
NTAzOFowFDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAE78wFbN39muud1Vhdz7qHoLfhoyjWjQE+ttHn9tzTaqmAWoFcyiwpZqVQ
Qawm4KXq9u30pdWJyVT6pnyGgQjEoKNpMGcwHQYDVR0OBBYEFNlIalc00te7Tf4g
3ATdg81XtLFdMB8GA1UdIwQYMBaAFNlIalc00te7Tf4g3ATdg81XtLFdMA8GA1Ud
EwEB/wQFMAMBAf8wFAYDVR0RBA0wC4IJbG9jYWxob3N0MAoGCCqGSM49BAMCA0kA
MEYCIQCO8/h+r1bIgPYJUmSgrlry8ZYfGdcH0Zvfhdn5D9TlBAIhAPEDVSbzlUWw
3CSMIm5FpRmEB595TLBn3c9zvrGz2y2F
-----END CERTIFICATE-----\n";

    /// The second from which it is valid.
    const FROM: u64 = 1_795_359_038;

    const DAY: u64 = 24 * 60 * 60;

    /// Verifies that certificate where only `trusted` is named.
    fn verified(trusted: &[u8], name: &str, at: u64) -> Result<ServerCertVerified, Error> {
        // Fails if another test has installed one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let shown = certificates(SELF_SIGNED).unwrap().remove(0);
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(at));
        Named::of(certificates(trusted).unwrap()).unwrap().verify_server_cert(&shown, &[], &name, &[], now)
    }

    #[test]
    fn a_certificate_that_was_named_is_accepted_for_its_name_and_while_it_is_valid() {
        assert!(verified(SELF_SIGNED, "localhost", FROM + DAY).is_ok());
        for (name, at) in
            [("elsewhere", FROM + DAY), ("localhost", FROM - DAY), ("localhost", FROM + 11 * 366 * DAY)]
        {
            let refused = verified(SELF_SIGNED, name, at).unwrap_err();
            assert!(matches!(refused, Error::InvalidCertificate(_)), "{name}, {at}: {refused:?}");
        }
    }
}
