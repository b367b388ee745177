//! Provides credentials for HTTP from the sources that git uses.
//!
//! These are the URL, credential helpers, `GIT_ASKPASS` and `core.askPass`, and a prompt only if there is a terminal.

use gix::{
    bstr::BStr,
    credentials::{
        helper::{Action, Cascade},
        protocol::{Context, Outcome},
    },
    prompt::{Mode, Options},
};

use crate::terminal::Terminal;

/// Returns a function that answers a server's request for credentials, and reports to the helpers whether they were
/// right.
pub(crate) fn provider(
    repo: &gix::Repository,
    terminal: Terminal,
) -> impl FnMut(Action) -> gix::Result<Option<Outcome>> + '_ {
    let mut asked: Option<Cascade> = None;
    move |action| match action {
        Action::Get(context) => {
            // The server may have redirected us, so take the URL at which it asked for credentials.
            let url = context.url.clone().or_else(|| context.to_url()).unwrap_or_default();
            let (mut cascade, configured, prompt) =
                repo.config_snapshot().credential_helpers(gix::url::parse(&url)?)?;
            let outcome = get(&mut cascade, context, configured, prompt, terminal);
            asked = Some(cascade);
            outcome
        }
        report => match &mut asked {
            Some(cascade) => cascade.invoke(report, Options { askpass: None, mode: Mode::Disable }),
            None => Ok(None),
        },
    }
}

/// Reports to the helpers for `url` whether the credentials that they gave were accepted.
pub(crate) fn report(repo: &gix::Repository, url: &str, report: Action) -> gix::Result<()> {
    let url = gix::url::parse(BStr::new(url))?;
    let (mut cascade, _, _) = repo.config_snapshot().credential_helpers(url)?;
    cascade.invoke(report, Options { askpass: None, mode: Mode::Disable }).map(drop)
}

fn get(
    cascade: &mut Cascade,
    mut context: Context,
    configured: Action,
    prompt: Options,
    terminal: Terminal,
) -> gix::Result<Option<Outcome>> {
    // `credential.username` is part of the configured action.
    if let Some(url) = configured.context().and_then(|context| context.url.clone()) {
        context.url = Some(url);
    }
    if terminal == Terminal::Present || prompt.askpass.is_none() {
        let mode = match terminal {
            Terminal::Present => prompt.mode,
            Terminal::Absent => Mode::Disable,
        };
        let _echo = (terminal == Terminal::Present).then(signals::Terminal::keep);
        return cascade.invoke(Action::Get(context), Options { mode, ..prompt });
    }
    // gix falls back to the terminal if an askpass program fails; without a terminal, the program is asked here.
    let quiet = || Options { askpass: None, mode: Mode::Disable };
    match cascade.invoke(Action::Get(context.clone()), quiet()) {
        Ok(outcome) => Ok(outcome),
        Err(error) if error.is_cancelled() => Err(error),
        Err(_) => {
            context.destructure_url_in_place(cascade.use_http_path)?;
            let only_program = || Options { askpass: prompt.askpass.clone(), mode: Mode::Disable };
            if context.username.is_none() {
                context.username = Some(gix::prompt::ask(&context.to_prompt("Username"), &only_program())?);
            }
            if context.password.is_none() {
                context.password = Some(gix::prompt::ask(&context.to_prompt("Password"), &only_program())?);
            }
            // With a URL in the context, gix would take the user and password from it again.
            context.url = None;
            // The helpers have been asked already; they only need to learn whether the answer was right.
            let helpers = std::mem::take(&mut cascade.programs);
            let outcome = cascade.invoke(Action::Get(context), quiet());
            cascade.programs = helpers;
            outcome
        }
    }
}
