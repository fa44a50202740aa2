use super::*;

fn user(content: &str) -> ChatMessage<'_> {
    ChatMessage {
        role: "user",
        content,
    }
}

/// Computed by another implementation of SHA-256 from the description.
#[test]
fn tokens_are_what_they_always_were() {
    let seeded = Oracle::of(&[user("hello")], Some(7));
    assert_eq!(seeded.token(0), "0:e586 ");
    assert_eq!(seeded.token(1), "1:cb9c ");
    assert_eq!(seeded.token(1000), "1000:5ef0 ");
    assert_eq!(Oracle::of(&[user("hello")], None).token(0), "0:4f32 ");
    let system = ChatMessage {
        role: "system",
        content: "a",
    };
    let two = Oracle::of(&[system, user("grüße")], Some(0));
    assert_eq!(two.token(1000), "1000:38ef ");
}

#[test]
fn a_message_is_not_the_sum_of_its_parts() {
    let moved = ChatMessage {
        role: "userh",
        content: "ello",
    };
    let of = |message| Oracle::of(&[message], None).token(0);
    assert_ne!(of(moved), of(user("hello")));
}
