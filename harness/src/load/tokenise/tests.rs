use proptest::prelude::*;

use super::*;

fn words(pieces: &[&str]) -> (Vec<String>, Option<String>) {
    let mut tokeniser = Tokeniser::new();
    let mut found = Vec::new();
    for piece in pieces {
        tokeniser.feed(piece, |word| {
            found.push(match word {
                Word::Token { n, hash } => format!("{n}={}", String::from_utf8_lossy(&hash)),
                Word::Foreign(text) => format!("?{text}"),
            });
        });
    }
    (found, tokeniser.rest())
}

#[test]
fn tokens_are_complete_with_their_last_digit() {
    assert_eq!(words(&["0:ab", "12"]).0, ["0=ab12"]);
    assert_eq!(words(&["0:ab12", " 1:00", "ff "]).0, ["0=ab12", "1=00ff"]);
    assert_eq!(words(&["7:abc"]), (vec![], Some("7:abc".into())));
}

#[test]
fn everything_else_is_foreign() {
    assert_eq!(
        words(&["Hello, 3:ABCD 03:abcd :abcd "]).0,
        ["?Hello,", "?3:ABCD", "?03:abcd", "?:abcd"]
    );
    assert_eq!(words(&["1:abcde "]).0, ["1=abcd", "?e"]);
    assert_eq!(words(&["99999999999:abcd "]).0, ["?99999999999:abcd"]);
    assert_eq!(words(&["17:a18:bcde "]).0, ["?17:a18:bcde"]);
    let long = "é".repeat(100);
    assert!(words(&[&long]).0.len() >= 3);
}

proptest! {
    #[test]
    fn cuts_change_nothing(text in "([0-9]{1,3}:[0-9a-f]{3,5} ?|[a-zé ]{0,6}){0,12}", size in 1usize..9) {
        let chars: Vec<char> = text.chars().collect();
        let pieces: Vec<String> = chars.chunks(size).map(|c| c.iter().collect()).collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        prop_assert_eq!(words(&pieces), words(&[&text]));
    }

    #[test]
    fn any_text_is_cut(text in any::<String>()) {
        words(&[&text]);
    }
}
