use super::meets;

#[test]
fn constraints_are_terraforms() {
    for (constraint, met) in [
        ("1.11.4", Some(true)),
        ("= 1.11.4", Some(true)),
        ("v1.11.4", Some(true)),
        ("1.11", Some(false)),
        ("!= 1.11.4", Some(false)),
        (">= 1.0", Some(true)),
        (">=1.12", Some(false)),
        ("> 1.11.3, < 2", Some(true)),
        ("< 1.11.4", Some(false)),
        ("<= 1.11.4", Some(true)),
        ("~> 1.5", Some(true)),
        ("~> 1.11.0", Some(true)),
        ("~> 1.10.0", Some(false)),
        ("~> 1.11.5", Some(false)),
        ("~> 0.12", Some(false)),
        ("~> 1", Some(true)),
        (">= 1.11.4-beta1", Some(true)),
        (">= 1.12.0-alpha1", Some(false)),
        ("", None),
        ("abc", None),
        (">= 1.x", None),
        ("1.2.3.4", None),
        ("=> 1.0", None),
    ] {
        assert_eq!(meets("1.11.4", constraint), met, "{constraint:?}");
    }
}
