use super::*;

const GOOD: &str = "a model of others says what it says and then it is done";

fn head<'a>(id: &'a str, from: &'a str) -> Head<'a> {
    Head {
        id: Some(id),
        from: Some(from),
        role: false,
        finish: false,
    }
}

/// Feeds words 20 ms apart; `|` before a word is a silence of a second.
fn stream(text: &str) -> Shape {
    let mut shape = Shape::default();
    let mut now = 0;
    for word in text.split_inclusive(' ') {
        now += if word.starts_with('|') {
            1_000_000
        } else {
            20_000
        };
        shape.chunk(&head("c", "m"), word.trim_start_matches('|'), now);
    }
    shape
}

fn says(shape: &Shape, what: &str) {
    match shape.defect() {
        Some(Defect::Corrupted(said)) => assert_eq!(said, what),
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn a_good_answer_has_no_defect() {
    let mut shape = stream(GOOD);
    let finish = Head {
        finish: true,
        ..head("c", "m")
    };
    shape.chunk(&finish, "", 900_000);
    shape.done();
    assert_eq!((shape.defect(), shape.clean()), (None, true));
    assert_eq!((shape.pieces(), shape.text()), (13, GOOD.to_string()));
}

#[test]
fn a_silence_alone_is_no_defect() {
    assert_eq!(
        stream("a model of others |says what it says and then").defect(),
        None
    );
}

#[test]
fn what_begins_again_after_it_faltered_is_found() {
    let shape = stream(&format!("a model of others says |{GOOD}"));
    assert_eq!(shape.defect(), Some(Defect::Restarted(23)));
}

#[test]
fn what_says_its_last_words_again_is_found() {
    let shape = stream("a model of others says what |others says what it says and then");
    assert_eq!(shape.defect(), Some(Defect::Duplicated(11)));
    // Few equal letters are chance.
    assert_eq!(stream("it was what it was |it was not").defect(), None);
}

#[test]
fn another_machine_or_another_head_is_a_place_to_look_at() {
    for (id, from, role) in [("c", "other", false), ("c", "m", true)] {
        let mut shape = stream("a model of others says ");
        let head = Head {
            role,
            ..head(id, from)
        };
        let first = Head {
            role: true,
            ..super::tests::head("c", "m")
        };
        let mut with_role = Shape::default();
        with_role.chunk(&first, "", 0);
        if role {
            with_role.chunk(&super::tests::head("c", "m"), "a model of others says ", 10);
            shape = with_role;
        }
        shape.chunk(&head, GOOD, 140_000);
        assert_eq!(shape.defect(), Some(Defect::Restarted(23)), "{from} {role}");
    }
}

#[test]
fn without_a_place_to_look_at_nothing_is_said() {
    let shape = stream(&format!("a model of others says {GOOD}"));
    assert_eq!(shape.defect(), None);
}

#[test]
fn a_model_that_goes_round_in_circles_is_not_accused() {
    let round = "and so it goes, ";
    let shape = stream(&format!("{}|{}", round.repeat(4), round.repeat(4)));
    assert_eq!(shape.defect(), None);
}

#[test]
fn a_slow_model_does_not_falter() {
    let mut shape = Shape::default();
    for n in 0..4 {
        shape.chunk(&head("c", "m"), "the same words again ", n * 900_000);
    }
    assert_eq!(shape.defect(), None);
}

#[test]
fn order_and_id_are_held_against_it() {
    let mut shape = stream(GOOD);
    shape.chunk(&head("d", "m"), " more", 300_000);
    says(&shape, "its id changed from c to d");

    let mut shape = stream("a");
    let finish = Head {
        finish: true,
        ..head("c", "m")
    };
    shape.chunk(&finish, " b", 300_000);
    assert_eq!(shape.defect(), None);
    shape.chunk(&head("c", "m"), " c", 300_000);
    says(&shape, "text after finish_reason");

    let mut shape = stream(GOOD);
    shape.done();
    shape.chunk(&head("c", "m"), "", 300_000);
    says(&shape, "a chunk after [DONE]");
}
