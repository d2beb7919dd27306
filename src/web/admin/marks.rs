//! Providers at a glance: two letters and a colour, from the provider's entry or derived from its title and id.

use crate::providers::{Face, Providers};

/// A provider's mark, for the macros `mark` and `mark_only`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// One or two letters.
    pub letters: String,
    /// The colour's class.
    pub class: &'static str,
    /// The provider's title.
    pub title: String,
}

impl Mark {
    /// The mark of the provider with this id, whether it is on, off or known no more.
    #[must_use]
    pub fn of(providers: &Providers, id: &str) -> Self {
        let Face { title, mark } = providers.face(id);
        Self {
            letters: mark.letters,
            class: mark.color.class(),
            title,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::providers::MarkColor;

    const STYLESHEET: &str = include_str!("../../../static/admin.css");

    /// What a custom property of the stylesheet is in the light and in the dark.
    fn token(name: &str) -> [String; 2] {
        let start = format!("--{name}: light-dark(");
        let rest = STYLESHEET
            .split_once(&start)
            .unwrap_or_else(|| panic!("--{name} is missing"))
            .1;
        let (light, rest) = rest.split_once(", ").unwrap();
        let (dark, _) = rest.split_once(')').unwrap();
        [light.to_owned(), dark.to_owned()]
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(hex: &str) -> f64 {
        let value = u32::from_str_radix(hex.trim_start_matches('#'), 16).unwrap();
        let part = |shift: u32| {
            let share = f64::from(value >> shift & 0xff) / 255.0;
            if share <= 0.040_45 {
                share / 12.92
            } else {
                ((share + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0)
    }

    /// WCAG 2.2, "contrast ratio".
    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }

    #[test]
    fn black_on_white_is_21_to_1() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 0.001);
        assert!((contrast("#767676", "#ffffff") - 4.54).abs() < 0.01);
    }

    #[test]
    fn every_colour_carries_its_letters_and_stands_out_in_light_and_dark() {
        let (letters, surface) = (token("on-fill"), token("surface"));
        for color in MarkColor::ALL {
            let name = color.class().trim_start_matches("c-");
            let colors = token(&format!("mark-{name}"));
            for theme in 0..2 {
                let on_fill = contrast(&letters[theme], &colors[theme]);
                let on_surface = contrast(&surface[theme], &colors[theme]);
                assert!(on_fill >= 4.5, "{name}: letters {on_fill:.2}");
                assert!(on_surface >= 3.0, "{name}: surface {on_surface:.2}");
            }
            let rule = format!(".{} {{ --c: var(--mark-{name}); }}", color.class());
            assert!(STYLESHEET.contains(&rule), "{rule}");
        }
    }
}
