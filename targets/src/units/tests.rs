use super::*;

#[track_caller]
fn same<T: FromStr + fmt::Display>(text: &str, shown: &str)
where
    T::Err: fmt::Debug,
{
    assert_eq!(text.parse::<T>().unwrap().to_string(), shown);
}

#[test]
fn quantities_read_and_show() {
    same::<Watts>("3.2kW", "3.2kW");
    same::<Watts>("3200 W", "3.2kW");
    same::<PerUnit>("0.85pu", "85%");
    same::<PerUnit>("70%", "70%");
    same::<Rate>("90/min", "1.5/s");
    same::<Joules>("60J", "60J");
    same::<Bandwidth>("10Mbit/s", "10Mbit/s");
    same::<Span>("250ms", "250ms");
    same::<Span>("1m 30s", "90s");
    same::<Span>("0.5s", "500ms");
    same::<Span>("20us", "20us");
    same::<Span>("12h", "720m");
}

#[test]
fn nonsense_is_refused_with_an_example() {
    for text in ["", "fast", "10", "-3kW", "3.2", "3 parsecs", "NaNW", "infW"] {
        let error = text.parse::<Watts>().unwrap_err().to_string();
        assert!(error.contains("3.2kW"), "{text:?}: {error}");
    }
    assert!("-1s".parse::<Span>().is_err());
    assert!("20".parse::<Rate>().is_err());
}
