//! The live page's HTML: usable as it is, better with its scripts.

use std::fmt::Write;

use super::desk::Desk;
use super::roles::Role;
use crate::report::{html, live, script};

/// The page for a role. What the scripts must not be told in blind mode is not in it.
pub(super) fn page(desk: &Desk, role: Role, token: Option<&str>, nonce: &str) -> String {
    let hidden = desk.hub.is_blind() && role != Role::Conductor;
    let title = if hidden { "Game day" } else { &desk.title };
    let parts = live();
    let mut page = String::with_capacity(160 * 1024);
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\" class=\"live\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}</title>\n<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n\
         <style>\n{}</style>\n</head>\n<body class=\"{}\">\n",
        html(title),
        parts.style(),
        role.name(),
    );
    head(&mut page, desk, title, role, token);
    page.push_str(
        "<main>\n<p id=\"said\" class=\"said\" role=\"status\" aria-live=\"polite\"></p>\n",
    );
    page.push_str("<div id=\"holds\">\n");
    if !hidden {
        holds(&mut page, desk, role, token);
    }
    page.push_str("</div>\n<div id=\"hand\"></div>\n<dl class=\"figures\" id=\"figures\"></dl>\n");
    if role >= Role::Scribe {
        crew(&mut page, token);
    }
    page.push_str(SEEN);
    page.push_str("</main>\n");
    let boot = serde_json::json!({
        "token": token,
        "role": role.name(),
        "blind": hidden,
    });
    let site = if hidden { "null" } else { &desk.site };
    let _ = write!(
        page,
        "<script type=\"application/json\" id=\"boot\">{}</script>\n\
         <script type=\"application/json\" id=\"site\">{}</script>\n\
         <script nonce=\"{nonce}\">\n{}</script>\n</body>\n</html>\n",
        script(&boot.to_string()),
        script(site),
        parts.scripts(),
    );
    page
}

/// What the scripts fill in.
const SEEN: &str = "\
<noscript><p class=\"banner\">Without scripts this page shows no course of the run; it comes anew \
every five seconds, and every button works.</p></noscript>
<div id=\"diagram\"></div>
<p class=\"now\" id=\"now\"></p>
<div id=\"axis\"></div>
<div id=\"lanes\"></div>
<h2>What happened</h2>
<ol id=\"story\" class=\"story\"></ol>
";

fn head(page: &mut String, desk: &Desk, title: &str, role: Role, token: Option<&str>) {
    let _ = write!(
        page,
        "<header class=\"bar\">\n<div><p class=\"name\"><span class=\"badge\" id=\"badge\">LIVE</span> \
         <span id=\"role\">{}</span></p>\n<h1 id=\"title\">{}</h1>\n\
         <p class=\"quiet\" id=\"clock\">waiting for the first event</p></div>\n",
        role.name(),
        html(title),
    );
    if role >= Role::Scribe {
        let stopping = desk.stop.is_cancelled();
        let (off, text) = match stopping {
            true => (" disabled", "HEALING"),
            false => ("", "STOP"),
        };
        let _ = writeln!(
            page,
            "<form method=\"post\" action=\"/do/stop\" class=\"stop\">{}\
             <button id=\"stop\"{off}>{text}<small>heal everything and end</small></button></form>",
            hidden_token(token),
        );
    }
    page.push_str("</header>\n");
}

fn hidden_token(token: Option<&str>) -> String {
    let token = html(token.unwrap_or_default());
    format!("<input type=\"hidden\" name=\"token\" value=\"{token}\">")
}

fn holds(page: &mut String, desk: &Desk, role: Role, token: Option<&str>) {
    for waiting in desk.podium.waiting() {
        let _ = write!(
            page,
            "<section class=\"hold\"><p>Before <b>{}</b></p><h2>{}</h2>",
            html(&waiting.name),
            html(&waiting.question),
        );
        if role == Role::Conductor {
            for (act, text) in [("release", "Yes, go on"), ("skip", "Leave it out")] {
                let _ = write!(
                    page,
                    "<form method=\"post\" action=\"/do/{act}\">{}\
                     <input type=\"hidden\" name=\"fault\" value=\"{}\">\
                     <button class=\"{act}\">{text}</button></form>",
                    hidden_token(token),
                    waiting.fault,
                );
            }
        }
        page.push_str("</section>\n");
    }
}

/// Where scribes write, and mark their moments.
fn crew(page: &mut String, token: Option<&str>) {
    let token = hidden_token(token);
    let _ = write!(
        page,
        "<section class=\"crew\" aria-label=\"Crew\">\n\
         <form method=\"post\" action=\"/do/note\" id=\"note\">{token}\
         <input name=\"name\" maxlength=\"40\" placeholder=\"Your name\" aria-label=\"Your name\" \
         autocomplete=\"off\">\
         <input name=\"text\" maxlength=\"2000\" required placeholder=\"A note, put on the time axis\" \
         aria-label=\"Note\" autocomplete=\"off\"><button>Note</button></form>\n\
         <form method=\"post\" id=\"marks\">{token}\
         <label>fault <select name=\"fault\"><option value=\"\">the last one</option></select></label>"
    );
    for (act, text) in [
        ("noticed", "We noticed"),
        ("decided", "We decided"),
        ("acted", "We acted"),
    ] {
        let _ = write!(page, "<button formaction=\"/do/{act}\">{text}</button>");
    }
    page.push_str("</form>\n</section>\n");
}

/// A page with one sentence.
pub(super) fn plain(text: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Game day</title>\
         <p>{}</p>",
        html(text)
    )
}
