//! Colours that everyone can tell apart, in the light and in the dark.

use crate::report::page::STYLE;

/// The colours of a scheme: the first block of the style sheet is light, the second dark.
fn colours(scheme: usize) -> impl Fn(&str) -> [f64; 3] {
    let block = STYLE
        .split(":root {")
        .nth(scheme + 1)
        .unwrap()
        .split('}')
        .next()
        .unwrap()
        .to_owned();
    move |name| {
        let at = block.find(&format!("{name}: #")).unwrap() + name.len() + 3;
        let linear = |from: usize| {
            let c = f64::from(u8::from_str_radix(&block[at + from..at + from + 2], 16).unwrap())
                / 255.0;
            if c <= 0.040_45 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        [linear(0), linear(2), linear(4)]
    }
}

/// WCAG 2.2, contrast ratio.
fn contrast(one: [f64; 3], two: [f64; 3]) -> f64 {
    let light = |[r, g, b]: [f64; 3]| 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    let (one, two) = (light(one), light(two));
    one.max(two) / one.min(two)
}

#[test]
fn text_and_arms_stand_out_from_the_paper_in_both_schemes() {
    for scheme in 0..2 {
        let colour = colours(scheme);
        let texts = [
            "--ink",
            "--soft",
            "--link",
            "--good",
            "--bad",
            "--open",
            "--refused",
        ];
        for name in texts
            .into_iter()
            .chain(["--a0", "--a1", "--a2", "--a3", "--a4", "--a5"])
        {
            for paper in ["--paper", "--panel"] {
                let found = contrast(colour(name), colour(paper));
                assert!(
                    found >= 4.5,
                    "scheme {scheme}: {name} on {paper}: {found:.2}"
                );
            }
        }
        assert!(contrast(colour("--warnink"), colour("--warn")) >= 4.5);
    }
}

/// What someone without one kind of cone sees (Machado, Oliveira and Fernandes 2009, severity 1).
const SIGHT: [[[f64; 3]; 3]; 4] = [
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
];

fn seen(rows: &[[f64; 3]; 3], [r, g, b]: [f64; 3]) -> [f64; 3] {
    rows.map(|[x, y, z]| x * r + y * g + z * b)
}

/// Oklab (Ottosson 2020), in which distances are about as large as they look.
fn oklab(linear: [f64; 3]) -> [f64; 3] {
    let bounded = linear.map(|c| c.clamp(0.0, 1.0));
    let cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ];
    let axes = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ];
    seen(&axes, seen(&cones, bounded).map(f64::cbrt))
}

#[test]
fn the_arms_colours_stay_apart_for_every_kind_of_sight() {
    let names = ["--a0", "--a1", "--a2", "--a3", "--a4", "--a5"];
    for scheme in 0..2 {
        let colour = colours(scheme);
        for sight in &SIGHT {
            let seen = names.map(|name| oklab(seen(sight, colour(name))));
            for (at, one) in seen.iter().enumerate() {
                for (other, two) in seen.iter().enumerate().skip(at + 1) {
                    let squares = one.iter().zip(two).map(|(a, b)| (a - b).powi(2));
                    let apart = squares.sum::<f64>().sqrt();
                    // Two neighbouring patches are told apart from about 0.02.
                    assert!(
                        apart > 0.08,
                        "scheme {scheme}: {} and {}: {apart:.3}",
                        names[at],
                        names[other]
                    );
                }
            }
        }
    }
}
