//! The pages of staff, as a browser without script and as Chromium sees them, and what stands behind them.
//!
//! What the pages promise, and the tests that prove it. All run on both databases, save the pictures and the times of a sign-in, which
//! no database changes.
//!
//! | Point | Promise | Tests |
//! |---|---|---|
//! | D1 | axe-core finds nothing, whatever is opened or in error | `no_page_has_anything_wrong_in_a_real_browser`, `an_empty_service_has_pages_without_fault` |
//! | D2 | without script each task is done, in few clicks | `s1_an_email_leads_to_the_user_and_their_accounts`, `s3_a_uid_leads_to_the_user_with_or_without_provider`, `s4_the_users_page_says_why_they_cannot_sign_in`, `s5_one_click_tells_whether_the_access_token_still_works`, `s6_who_signed_up_with_a_provider_last_week_is_an_address`, `s7_two_clicks_give_the_list_as_a_file`, `a1_an_unlink_shows_its_consequences_and_takes_four_clicks`, `a2_one_click_undoes_an_unlink`, `a3_a_deactivation_ends_the_sessions_in_the_same_step`, `a4_two_clicks_end_one_session_or_all`, `a5_a_ticket_moves_an_account_to_the_right_user` |
//! | D3 | a strict policy, and nothing that breaks it | `every_answer_has_the_headers_and_nothing_inline`, `no_page_has_anything_wrong_in_a_real_browser` |
//! | D4 | three requests, few bytes, all to ourselves | `no_page_has_anything_wrong_in_a_real_browser`, `the_script_is_small_and_writes_neither_markup_nor_styles`, `the_heaviest_page_weighs_less_than_60_kb` |
//! | D5 | no scrolling sideways, nothing cut off, all in reach at 400 % | `no_page_has_anything_wrong_in_a_real_browser` |
//! | D6 | targets that can be hit | `no_page_has_anything_wrong_in_a_real_browser` |
//! | D7 | Tab leads through everything in order, seen and ringed; single keys do more, unless they are switched off | `no_page_has_anything_wrong_in_a_real_browser`, `keys_lead_through_lists_and_are_silent_while_one_types_or_wants_none`, `keys_are_on_until_somebody_switches_them_off` |
//! | D8 | headings, titles, landmarks, captions, labels | `no_page_has_anything_wrong_in_a_real_browser` |
//! | D9 | the search opens the only match, and lists several | `s1_an_email_leads_to_the_user_and_their_accounts`, `s3_a_uid_leads_to_the_user_with_or_without_provider`, `one_exact_match_is_opened_at_once_and_an_ambiguous_one_is_a_list` |
//! | D10 | a token that is searched for is refused and kept nowhere | `what_looks_like_an_access_token_is_refused_and_kept_nowhere` |
//! | D11 | an address is a view, to everybody | `an_address_shows_the_same_rows_in_the_same_order_to_everybody`, `removing_a_chip_drops_that_filter_alone` |
//! | D12 | a walk through pages sees each row once | `a_walk_sees_each_row_once_while_others_sign_up` |
//! | D13 | few queries, none for an unknown number of rows | `six_bounded_queries_are_enough_for_a_page_on_sqlite`, `six_bounded_queries_are_enough_for_a_page_on_postgres`, `six_queries_are_enough_where_those_who_lack_the_order_begin_on_sqlite`, `six_queries_are_enough_where_those_who_lack_the_order_begin_on_postgres` |
//! | D14 | no part of a secret anywhere | `no_page_shows_any_part_of_a_secret_on_sqlite`, `no_page_shows_any_part_of_a_secret_on_postgres`, `no_secret_comes_out_anywhere` |
//! | D15 | an unlink asks for a token, a reason and the last tick | `the_unlink_page_names_person_provider_and_consequences_and_changes_nothing`, `an_unlink_without_token_reason_or_tick_is_refused_and_keeps_what_was_typed`, `an_unlink_leads_back_with_a_notice_and_its_undo_brings_the_account_back`, `an_unlink_is_audited_with_actor_reason_address_and_what_it_did`, `an_unlink_is_announced_and_told_signed` |
//! | D16 | an unlink names its consequences, and happens once | `the_unlink_page_names_person_provider_and_consequences_and_changes_nothing`, `a_second_post_is_harmless_and_a_stale_page_changes_nothing` |
//! | D17 | an undo gives back, in its window | `an_undo_gives_the_account_back_without_its_token`, `an_undo_says_why_not_and_is_offered_only_in_its_window`, `an_undo_ends_with_its_window` |
//! | D18 | each role reaches what it may, and sees no more | `each_role_reaches_what_the_table_says_and_nothing_else`, `every_page_stands_in_the_table_once_and_below_admin`, `a_page_has_no_button_that_its_reader_may_not_use`, `staff_see_the_page_without_what_they_may_not_do` |
//! | D19 | a deactivated user is out at once, and the page says why | `a_deactivated_user_is_refused_everywhere_at_once`, `a_deactivated_user_is_refused_and_the_page_says_why_and_by_whom` |
//! | D20 | signing in: throttled, silent about who exists, a cookie for us alone | `the_sixth_wrong_try_waits_and_the_right_password_waits_with_it`, `unknown_wrong_and_inactive_are_told_in_the_same_words`, `unknown_and_wrong_take_the_same_time`, `the_cookie_is_sealed_and_for_the_host_over_https_alone`, `each_sign_in_has_a_session_of_its_own_and_the_one_before_is_worthless`, `signed_out_the_session_has_ended_and_back_shows_nothing` |
//! | D21 | second factors count once; a provider lets in whom the list admits | `a_code_is_owed_after_the_password_and_counts_once`, `one_step_either_way_is_accepted`, `a_recovery_code_signs_in_once`, `whoever_does_not_get_in_is_told_in_the_same_words_and_the_audit_log_why`, `an_address_of_another_domain_is_refused_whatever_account_it_has`, `an_answer_is_judged_before_its_code_is` |
//! | D22 | an export has the rows of the view, is sent while it is read, and is audited with its end | `an_export_has_the_rows_of_the_view_and_is_written_down`, `an_export_has_the_entries_of_the_filter_and_is_audited`, `an_export_is_sent_while_it_is_read_on_sqlite`, `an_export_is_sent_while_it_is_read_on_postgres`, `an_export_that_its_client_breaks_off_is_written_down_with_what_was_sent` |
//! | D23 | the theme is there from the first frame; forced colours and paper are legible | `the_theme_form_sets_the_cookie_and_the_next_page_has_it`, `pages_flash_in_no_other_theme_and_are_legible_in_forced_colours_and_on_paper` |
//! | D24 | times say their instant and zone | `the_zone_changes_the_title_of_times_and_not_the_instant`, `no_page_has_anything_wrong_in_a_real_browser` |
//! | D25 | chart, table and rows say the same | `chart_table_and_rows_add_up_before_and_after_the_roll_up`, `a_day_without_sign_ups_is_a_zero`, `an_empty_service_shows_the_first_steps_in_place_of_charts` |
//! | D26 | what a provider lacks is named, its failing is seen at once, and it is not removed while users depend on it | `a_provider_that_is_off_names_each_missing_setting`, `a_failing_provider_is_the_first_thing_on_the_overview_and_outages_are_counted`, `outages_reach_the_database_by_themselves`, `the_page_says_how_many_users_have_no_other_way_in`, `a_provider_that_was_removed_is_listed_with_who_depends_on_it_and_what_to_do`, `the_overview_names_what_was_removed_while_users_have_no_other_way_in`, `production_does_not_start_without_a_provider_that_users_depend_on`, `a_removal_is_accepted_by_name_and_switching_off_is_no_removal`, `two_providers_that_are_gone_are_no_way_in_for_each_other` |
//! | D27 | each error is a page with a way on, even without database | `every_error_page_is_a_page_with_a_way_on_even_without_database`, `without_database_a_page_says_so_and_when_to_come_back` |
//! | D28 | what is empty says what to do next | `an_empty_list_says_what_to_do_next`, `an_empty_service_shows_the_first_steps_in_place_of_charts`, `an_empty_service_has_pages_without_fault` |
//! | D29 | valid HTML | `no_page_has_anything_wrong_in_a_real_browser` |
//! | D30 | pictures of the pages, to be looked at | `the_pictures_of_the_documentation_can_be_taken` |

use std::path::Path;

mod accounts;
mod activity;
mod api;
mod browser;
mod factor;
mod forms;
mod frame;
mod keys;
mod language;
mod links;
mod lists;
mod overview;
mod person;
mod person_pages;
mod pictures;
mod provider_sign_in;
mod providers;
mod roles;
mod sessions;
mod sign_in;
mod store;
mod tasks;
mod webhooks;

/// All tests of this folder and below, as they are written, without line breaks.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            text.extend(source.split_whitespace().flat_map(|word| [word, " "]));
        }
    }
    text
}

/// Whether a test of this name is among the sources.
fn is_test(sources: &str, name: &str) -> bool {
    [
        "on_both!(",
        "on_both!( ",
        "in_place!(",
        "in_place!( ",
        "with_receiver!(",
        "with_receiver!( ",
    ]
    .iter()
    .any(|macro_name| sources.contains(&format!("{macro_name}{name},")))
        || ["#[tokio::test] async fn", "#[test] fn"]
            .iter()
            .any(|head| sources.contains(&format!("{head} {name}(")))
}

#[test]
fn every_promise_names_tests_that_exist() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it"));
    let table: Vec<&str> = include_str!("mod.rs")
        .lines()
        .filter(|line| line.starts_with("//! | D"))
        .collect();

    let points: Vec<&str> = table
        .iter()
        .map(|line| line.split('|').nth(1).unwrap().trim())
        .collect();
    let expected: Vec<String> = (1..=30).map(|number| format!("D{number}")).collect();
    assert_eq!(points, expected);
    for line in table {
        let names: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{line}");
        for name in names {
            assert!(is_test(&sources, name), "there is no test {name}: {line}");
        }
    }
    assert!(!is_test(&sources, "no_test_of_this_name"));
}
