use super::owner;

#[test]
fn a_lab_made_by_a_test_names_its_process() {
    assert_eq!(owner("t1234n0"), Some(1234));
    assert_eq!(owner("t1234"), None);
    assert_eq!(owner("lab"), None);
    assert_eq!(owner("tn0"), None);
}
