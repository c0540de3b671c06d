use super::*;
use std::collections::BTreeSet;

const TABLES: [(Cloud, &str); 3] = [
    (Cloud::Aws, include_str!("../../data/machines/aws.tsv")),
    (
        Cloud::Azure,
        include_str!("../../data/machines/azurerm.tsv"),
    ),
    (
        Cloud::Google,
        include_str!("../../data/machines/google.tsv"),
    ),
];

#[test]
fn every_line_and_cell_of_the_tables_is_read() {
    for (cloud, text) in TABLES {
        let catalogue = Catalogue::of(cloud);
        let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).collect();
        assert_eq!(catalogue.rows.len(), lines.len() - 1, "{cloud:?}");
        for (line, (machine, prices)) in lines[1..].iter().zip(&catalogue.rows) {
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!(prices.len(), catalogue.regions.len(), "{line}");
            for (cell, price) in cells[COLUMNS..].iter().zip(prices) {
                assert_eq!(cell.is_empty(), price.is_none(), "{line}");
                assert_ne!(*price, Some(Price::from_micros(0)), "{line}");
            }
            assert!(machine.cpus > 0 && machine.memory_mib > 0, "{line}");
            assert_eq!(
                machine.gpus.count == 0,
                machine.gpus.model.is_empty(),
                "{line}"
            );
        }
    }
}

#[test]
fn each_cloud_has_sixty_types_in_five_regions_and_says_when_and_from_what() {
    for cloud in Cloud::ALL {
        let catalogue = Catalogue::of(cloud);
        let large = catalogue.regions().iter().filter(|region| {
            let types = catalogue.types_in(region).expect("a region of its own");
            types.filter(|(_, price)| price.is_some()).count() >= 60
        });
        assert!(large.count() >= 5, "{cloud:?}");
        let names: BTreeSet<&str> = catalogue.names().collect();
        assert_eq!(
            names.len(),
            catalogue.rows.len(),
            "{cloud:?}: a name stands twice"
        );
        assert_eq!(catalogue.date().len(), "2025-03-02".len(), "{cloud:?}");
        assert!(catalogue.source().contains("apache-libcloud "), "{cloud:?}");
    }
}

/// Prices that anybody can look up, of the day of the tables.
#[test]
fn known_types_have_their_known_numbers() {
    for (cloud, region, name, cpus, mib, arch, price) in [
        (
            Cloud::Aws,
            "us-east-1",
            "m5.large",
            2,
            8_192,
            Arch::Amd64,
            "0.096",
        ),
        (
            Cloud::Aws,
            "us-east-1",
            "m7g.large",
            2,
            8_192,
            Arch::Arm64,
            "0.0816",
        ),
        (
            Cloud::Aws,
            "us-east-1",
            "g4dn.xlarge",
            4,
            16_384,
            Arch::Amd64,
            "0.526",
        ),
        (
            Cloud::Aws,
            "eu-central-1",
            "t3.micro",
            2,
            1_024,
            Arch::Amd64,
            "0.012",
        ),
        (
            Cloud::Azure,
            "eastus",
            "Standard_D2s_v3",
            2,
            8_192,
            Arch::Amd64,
            "0.096",
        ),
        (
            Cloud::Azure,
            "eastus",
            "Standard_B2s",
            2,
            4_096,
            Arch::Amd64,
            "0.0416",
        ),
        (
            Cloud::Google,
            "us-central1",
            "e2-micro",
            2,
            1_024,
            Arch::Amd64,
            "0.008376",
        ),
        (
            Cloud::Google,
            "us-central1",
            "n1-standard-1",
            1,
            3_840,
            Arch::Amd64,
            "0.0475",
        ),
    ] {
        let mut types = Catalogue::of(cloud)
            .types_in(region)
            .expect("a known region");
        let (machine, found) = types.find(|(m, _)| m.name == name).expect("a known type");
        assert_eq!(
            (machine.cpus, machine.memory_mib, machine.arch, found),
            (cpus, mib, arch, price.parse().ok()),
            "{name}"
        );
    }
}

#[test]
fn prices_are_read_and_written_exactly() {
    for (text, micros, shown, month) in [
        ("0.096", 96_000, "0.0960", "70.08"),
        ("0.11471", 114_710, "0.11471", "83.74"),
        ("0.008376", 8_376, "0.008376", "6.11"),
        ("12", 12_000_000, "12.0000", "8760.00"),
    ] {
        let price: Price = text.parse().expect("a price");
        assert_eq!(price.micros(), micros);
        assert_eq!(price.to_string(), shown);
        assert_eq!(price.per_month(), month);
        assert_eq!(
            Price::from_dollars(text.parse().expect("a number")),
            Some(price)
        );
    }
    for text in ["", ".5", "-1", "0.0000001", "1e3", "99999999999999999999"] {
        assert_eq!(text.parse::<Price>(), Err(()), "{text}");
    }
    for number in [-0.1, f64::NAN, f64::INFINITY, 1e7] {
        assert_eq!(Price::from_dollars(number), None);
    }
}
