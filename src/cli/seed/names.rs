//! Names in several scripts, each with its spelling in ASCII for user names and addresses.

use std::sync::LazyLock;

use deunicode::deunicode;

use super::random::Random;

/// Given and family names that go together, and how often they are drawn among all sets.
struct Names {
    share: u64,
    given: &'static [&'static str],
    family: &'static [&'static str],
    /// The family name stands first, in user names and addresses too.
    family_first: bool,
}

#[rustfmt::skip]
const SETS: &[Names] = &[
    Names { share: 44, family_first: false,
        given: &["Ada", "Linus", "Margaret", "Alan", "Grace", "Donald", "Radia", "Frances", "Barbara", "Niklaus", "Edsger", "Katherine", "Tim", "Hedy", "Dennis", "Joan", "Claude", "Evelyn", "Ken", "Sophie", "Amara", "Tunde", "Zola", "Kwame", "Noor", "Mia", "Oliver", "Emma", "Lucas", "Chloe"],
        family: &["Okafor", "Berg", "Tanaka", "Haddad", "Hopper", "Nguyen", "Moreau", "Silva", "Novak", "Weber", "Dijkstra", "Johnson", "Adeyemi", "Lindqvist", "Ritchie", "Clarke", "Shannon", "Boyd", "Thompson", "Wilson", "Mensah", "Ferrari", "Rossi", "Martin", "Dubois", "Schmidt", "Keller", "Murphy", "Walsh", "Byrne"] },
    Names { share: 18, family_first: false,
        given: &["Søren", "Zoë", "José", "Łukasz", "Çağla", "Jürgen", "Ángel", "Noël", "Björk", "Élodie", "Ștefan", "Müge", "Åsa", "Niño", "Jiří", "Kristína"],
        family: &["Sørensen", "Muñoz", "Kowalski-Sørensen", "Yılmaz", "Müller", "Françoise", "Ibáñez", "Åkesson", "Dvořák", "Popescu-Țepeș", "Grímsdóttir", "Lefèvre", "Größer", "Wiśniewska", "Đorđević", "Nuñez de la Vega"] },
    Names { share: 9, family_first: false,
        given: &["Анна", "Дмитрий", "Ольга", "Сергей", "Наталья", "Иван", "Олена", "Тарас", "Мария", "Юрий"],
        family: &["Иванова", "Петров", "Шевченко", "Соколов", "Коваленко", "Морозова", "Лебедев", "Бондаренко", "Волков", "Зайцева"] },
    Names { share: 3, family_first: false,
        given: &["Ελένη", "Γιώργος", "Μαρία", "Νίκος", "Σοφία", "Δημήτρης"],
        family: &["Παπαδόπουλος", "Οικονόμου", "Νικολαΐδης", "Γεωργίου", "Ιωάννου", "Αλεξίου"] },
    Names { share: 6, family_first: false,
        given: &["فاطمة", "محمد", "ليلى", "يوسف", "مريم", "عمر", "زينب", "خالد"],
        family: &["الحداد", "العلي", "منصور", "الخطيب", "حسن", "إبراهيم", "النجار", "صالح"] },
    Names { share: 2, family_first: false,
        given: &["נועה", "דוד", "יעל", "איתן", "שירה", "אורי"],
        family: &["כהן", "לוי", "מזרחי", "פרץ", "אברהם", "שפירא"] },
    Names { share: 6, family_first: false,
        given: &["आरव", "प्रिया", "राहुल", "अनन्या", "विक्रम", "दीपिका"],
        family: &["शर्मा", "पटेल", "सिंह", "गुप्ता", "रेड्डी", "अय्यर"] },
    Names { share: 5, family_first: true,
        given: &["伟", "芳", "娜", "秀英", "敏", "静", "强", "磊"],
        family: &["王", "李", "张", "刘", "陈", "杨", "黄", "赵"] },
    Names { share: 4, family_first: true,
        given: &["さくら", "健二", "陽菜", "蓮", "美咲", "翔太"],
        family: &["伊藤", "田中", "佐藤", "鈴木", "高橋", "渡辺"] },
    Names { share: 3, family_first: true,
        given: &["민준", "서연", "지훈", "하은", "도윤", "수아"],
        family: &["김", "이", "박", "최", "정", "강"] },
];

/// A name as it is written, and in lower-case ASCII.
#[derive(Debug, Clone)]
struct Spelled {
    name: &'static str,
    ascii: String,
}

struct SpelledSet {
    share: u64,
    given: Vec<Spelled>,
    family: Vec<Spelled>,
    family_first: bool,
}

static SPELLED: LazyLock<Vec<SpelledSet>> = LazyLock::new(|| {
    let spell = |names: &[&'static str]| {
        names
            .iter()
            .map(|name| Spelled {
                name,
                ascii: ascii(name),
            })
            .collect()
    };
    SETS.iter()
        .map(|set| SpelledSet {
            share: set.share,
            given: spell(set.given),
            family: spell(set.family),
            family_first: set.family_first,
        })
        .collect()
});

fn ascii(name: &str) -> String {
    let letters: String = deunicode(name)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    letters.to_ascii_lowercase()
}

/// A person's name.
#[derive(Debug, Clone, Default)]
pub(super) struct Name {
    pub(super) given: &'static str,
    pub(super) family: &'static str,
    /// The words of a user name or address, in ASCII.
    pub(super) ascii: (String, String),
}

/// Draws a name. One in two hundred has a given name alone.
pub(super) fn draw(random: &mut Random) -> Name {
    let all: u64 = SPELLED.iter().map(|set| set.share).sum();
    let mut drawn = random.below(all);
    let set = SPELLED.iter().find(|set| {
        let is_it = drawn < set.share;
        drawn = drawn.wrapping_sub(set.share);
        is_it
    });
    let Some(set) = set else {
        return Name::default();
    };
    let (Some(given), Some(family)) = (random.pick(&set.given), random.pick(&set.family)) else {
        return Name::default();
    };
    let ascii = if set.family_first {
        (family.ascii.clone(), given.ascii.clone())
    } else {
        (given.ascii.clone(), family.ascii.clone())
    };
    Name {
        given: given.name,
        family: if random.chance(5) { "" } else { family.name },
        ascii,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_spelling_in_ascii() {
        for set in SPELLED.iter() {
            for spelled in set.given.iter().chain(&set.family) {
                assert!(!spelled.ascii.is_empty(), "{}", spelled.name);
                assert!(
                    spelled
                        .ascii
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()),
                    "{}",
                    spelled.ascii
                );
            }
        }
    }

    #[test]
    fn names_come_in_several_scripts() {
        let mut random = Random::new(1, 1);

        let names: Vec<Name> = (0..2000).map(|_| draw(&mut random)).collect();

        for script in ['А'..='я', 'Α'..='ω', 'א'..='ת', '一'..='龥', '가'..='힣'] {
            assert!(
                names
                    .iter()
                    .any(|name| name.given.chars().any(|letter| script.contains(&letter))),
                "{script:?}"
            );
        }
    }
}
