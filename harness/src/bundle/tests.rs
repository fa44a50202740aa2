//! Bundles that hold, and every way in which one does not.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::{BundleError, Key, generate, verify, write_bundle};

type Files = Vec<(String, Vec<u8>)>;

/// A run folder whose record is longer than one piece.
fn run() -> tempfile::TempDir {
    let folder = run_of(30_000);
    let record = std::fs::metadata(folder.path().join("record.jsonl")).unwrap();
    assert!(record.len() > 1 << 20);
    folder
}

fn run_of(lines: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let header = r#"{"seq":0,"t_us":0,"source":"engine","kind":"run","schema":1,"run":"r-1","playbook":"p","seed":7,"world":"virtual","started":"","version":"0","facts":{"playbook_sha256":"ab"}}"#;
    let line = r#"{"seq":0,"t_us":0,"source":"engine","kind":"note","text":"x"}"#;
    let record = format!("{header}\n{}", format!("{line}\n").repeat(lines));
    std::fs::write(root.join("record.jsonl"), record).unwrap();
    std::fs::write(root.join("playbook.yaml"), "name: p\n").unwrap();
    std::fs::create_dir(root.join("logs")).unwrap();
    std::fs::write(root.join("logs/gpu-1.log"), "").unwrap();
    folder
}

fn bundle(run: &Path, key: Option<&Key>) -> (PathBuf, String) {
    let out = run.join("bundle.tar");
    let sealed = write_bundle(run, &out, key).expect("a bundle");
    assert_eq!(sealed.files, 3);
    (out, sealed.head)
}

fn why(path: &Path) -> String {
    verify(path, None, None).unwrap_err().to_string()
}

#[test]
fn a_bundle_holds_and_is_the_same_again() {
    let folder = run();
    let (out, head) = bundle(folder.path(), None);
    let checked = verify(&out, None, Some(&head)).expect("it holds");
    assert_eq!((&*checked.run, &*checked.sealed.head), ("r-1", &*head));
    let again = folder.path().join("again.tar");
    write_bundle(folder.path(), &again, None).unwrap();
    assert_eq!(std::fs::read(&out).unwrap(), std::fs::read(&again).unwrap());
    let error = write_bundle(folder.path(), &again, None).unwrap_err();
    assert!(
        matches!(error, BundleError::Io { .. }),
        "never written over"
    );
    assert!(verify(&out, None, Some("00")).is_err());
}

#[test]
fn a_changed_byte_is_named_by_its_place() {
    let folder = run();
    let (out, _) = bundle(folder.path(), None);
    let mut bytes = std::fs::read(&out).unwrap();
    let last = bytes
        .windows(9)
        .rposition(|w| w == b"\"text\":\"x")
        .unwrap();
    bytes[last + 8] = b'y';
    std::fs::write(&out, &bytes).unwrap();
    let said = why(&out);
    assert!(
        said.contains("record.jsonl: chunk 1, bytes 1048576 to"),
        "{said}"
    );
}

#[test]
fn what_is_missing_added_or_moved_is_noticed() {
    let folder = run();
    let (out, _) = bundle(folder.path(), None);
    let remade = |name: &str, order: &dyn Fn(&mut Files)| {
        let mut files = Vec::new();
        let mut tar = tar::Archive::new(std::fs::File::open(&out).unwrap());
        for entry in tar.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
            files.push((name, bytes));
        }
        order(&mut files);
        let path = folder.path().join(name);
        write_tar(&path, &files);
        why(&path)
    };
    let said = remade("missing", &|files| drop(files.pop()));
    assert!(said.contains("logs/gpu-1.log: it is missing"), "{said}");
    let said = remade("added", &|files| files.push(("more".into(), vec![1])));
    assert!(
        said.contains("more: it is not what the manifest has"),
        "{said}"
    );
    let said = remade("moved", &|files| files.swap(1, 2));
    assert!(said.contains("in this place"), "{said}");
    let said = remade("shorter", &|files| files[2].1.truncate(1 << 20));
    assert!(said.contains("bytes, and"), "{said}");
    // Whoever changes a hash in the manifest breaks the chain.
    let said = remade("rehashed", &|files| {
        let text = String::from_utf8(files[0].1.clone()).unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json["files"][0]["links"][0]["bytes"] = "00".repeat(32).into();
        files[0].1 = json.to_string().into_bytes();
    });
    assert!(
        said.contains("the chain breaks at playbook.yaml, bytes 0 to 7"),
        "{said}"
    );
    let said = remade("reseeded", &|files| {
        let text = String::from_utf8(files[0].1.clone()).unwrap();
        files[0].1 = text.replace("\"seed\": 7", "\"seed\": 8").into_bytes();
    });
    assert!(said.contains("the chain breaks"), "{said}");
}

fn write_tar(path: &Path, files: &[(String, Vec<u8>)]) {
    let mut tar = tar::Builder::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    tar.finish().unwrap();
}

#[test]
fn hostile_archives_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.tar");
    let raw = |name: &str, size: u64, kind: tar::EntryType, bytes: &[u8]| {
        let mut header = tar::Header::new_old();
        // Past what the library lets one write.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(size);
        header.set_entry_type(kind);
        header.set_cksum();
        let mut all = header.as_bytes().to_vec();
        all.extend_from_slice(bytes);
        all.resize(all.len().next_multiple_of(512) + 1024, 0);
        std::fs::write(&path, all).unwrap();
        why(&path)
    };
    let file = tar::EntryType::Regular;
    for name in [
        "../manifest.json",
        "/manifest.json",
        "a/../../manifest.json",
    ] {
        let said = raw(name, 2, file, b"{}");
        assert!(said.contains("leads out of the folder"), "{name}: {said}");
    }
    let said = raw("manifest.json", 1 << 32, file, b"{}");
    assert!(said.contains("claims 4294967296 bytes"), "{said}");
    let said = raw("manifest.json", 0, tar::EntryType::Symlink, b"");
    assert!(said.contains("not a plain file"), "{said}");
    let said = raw("manifest.json", 2, file, b"{}");
    assert!(said.contains("is no bundle"), "{said}");
}

#[test]
fn a_key_signs_and_no_other_does() {
    let folder = run();
    let keys = tempfile::tempdir().unwrap();
    let path = keys.path().join("key.pem");
    let public = generate(&path).expect("a key");
    assert!(generate(&path).is_err(), "never written over");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let key = Key::read(&path).unwrap();
    let (out, _) = bundle(folder.path(), Some(&key));
    let checked = verify(&out, Some(&public), None).expect("it holds");
    assert_eq!(checked.sealed.public_key, Some(public.clone()));
    let other = generate(&keys.path().join("other.pem")).unwrap();
    let said = verify(&out, Some(&other), None).unwrap_err().to_string();
    assert!(said.contains("it was signed by"), "{said}");
    let bytes = std::fs::read(&out).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let at = text.find("\"signature\": \"").unwrap() + 14;
    let mut forged = bytes.clone();
    forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
    std::fs::write(&out, forged).unwrap();
    assert!(why(&out).contains("its signature does not hold"));
    let unsigned = folder.path().join("unsigned.tar");
    write_bundle(folder.path(), &unsigned, None).unwrap();
    let said = verify(&unsigned, Some(&public), None)
        .unwrap_err()
        .to_string();
    assert!(said.contains("nobody has signed it"), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever bit of the whole file is changed, it shows.
    #[test]
    fn no_bit_can_be_changed(place in 0_usize..1 << 20, bit in 0_u8..8) {
        let folder = run_of(3);
        let (out, _) = bundle(folder.path(), None);
        let mut bytes = std::fs::read(&out).unwrap();
        let place = place % bytes.len();
        bytes[place] ^= 1 << bit;
        std::fs::write(&out, &bytes).unwrap();
        prop_assert!(verify(&out, None, None).is_err(), "byte {place}, bit {bit}");
    }
}
