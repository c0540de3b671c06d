use super::slug;

#[test]
fn slugs_are_safe_and_told_apart() {
    assert_eq!(slug("web-app-0"), "web-app-0");
    assert_eq!(slug("Node_Exporter-zrh.1"), "node-exporter-zrh-1");
    let odd = [slug("zürich-a"), slug("zörich-a"), slug("x y"), slug("x+y")];
    assert!(
        odd.iter()
            .all(|s| s.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
    );
    assert!(odd[0] != odd[1] && odd[2] != odd[3], "{odd:?}");
    let (a, b) = (slug(&"a".repeat(70)), slug(&"a".repeat(71)));
    assert_eq!((a.len(), b.len()), (64, 64));
    assert_ne!(a, b);
}
