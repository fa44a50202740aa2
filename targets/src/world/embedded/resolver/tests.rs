use proptest::prelude::*;

use super::*;

/// A question for a name, of type A (1) or AAAA (28).
fn question(name: &str, kind: u8) -> Vec<u8> {
    let mut bytes = vec![0xab, 0xcd, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        bytes.push(label.len() as u8);
        bytes.extend(label.as_bytes());
    }
    bytes.extend([0, 0, kind, 0, 1]);
    bytes
}

fn ask(name: &str, kind: u8, rules: &[NameRule]) -> Option<Vec<u8>> {
    let hosts = BTreeMap::from([
        ("gpu-1".to_string(), Ipv4Addr::new(10, 0, 0, 7)),
        ("gpu-9".to_string(), Ipv4Addr::new(10, 0, 0, 9)),
    ]);
    answer(&hosts, rules, &question(name, kind))
}

fn instead(names: &[&str], answer: NameAnswer) -> Vec<NameRule> {
    vec![NameRule {
        nodes: Vec::new(),
        names: names.iter().map(|name| name.to_string()).collect(),
        answer,
    }]
}

/// Response code and number of answers.
fn outline(answer: &[u8]) -> (u8, u16) {
    assert_eq!(answer[..2], [0xab, 0xcd], "of this question");
    assert_eq!(answer[2], 0x85, "an answer of an authority");
    (answer[3] & 0x0f, u16::from_be_bytes([answer[6], answer[7]]))
}

#[test]
fn a_known_name_has_its_address_and_no_other_record() {
    let a = ask("GPU-1", 1, &[]).expect("answered");
    assert_eq!(outline(&a), (0, 1));
    assert_eq!(a[a.len() - 4..], [10, 0, 0, 7]);
    assert_eq!(outline(&ask("gpu-1", 28, &[]).expect("answered")), (0, 0));
    assert_eq!(
        outline(&ask("gpu-1.lan", 1, &[]).expect("answered")),
        (3, 0)
    );
}

#[test]
fn rules_answer_instead() {
    let told = |answer| ask("gpu-1", 1, &instead(&["gpu-1"], answer));
    assert_eq!(told(NameAnswer::Silence), None);
    let code = |answer| outline(&told(answer).expect("answered")).0;
    assert_eq!(code(NameAnswer::Nxdomain), 3);
    assert_eq!(code(NameAnswer::Servfail), 2);
    let wrong = told(NameAnswer::AddressOf("gpu-9".into())).expect("answered");
    assert_eq!(wrong[wrong.len() - 4..], [10, 0, 0, 9]);
    let other = ask("gpu-1", 1, &instead(&["gpu-2"], NameAnswer::Nxdomain));
    assert_eq!(outline(&other.expect("answered")), (0, 1));
    let all = ask("gpu-1", 1, &instead(&[], NameAnswer::Nxdomain));
    assert_eq!(outline(&all.expect("answered")), (3, 0));
}

proptest! {
    #[test]
    fn any_message_is_answered_or_ignored(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = answer(&BTreeMap::new(), &[], &bytes);
    }

    #[test]
    fn a_question_with_anything_behind_it_is_answered(tail in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut bytes = question("gpu-1", 1);
        bytes.extend(&tail);
        let hosts = BTreeMap::from([("gpu-1".to_string(), Ipv4Addr::LOCALHOST)]);
        let told = answer(&hosts, &[], &bytes).expect("answered");
        prop_assert_eq!(outline(&told), (0, 1));
    }
}
