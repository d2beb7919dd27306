//! `GET /admin/settings/health`, and the same as JSON: is the service healthy?

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use chrono::{TimeDelta, Utc};
use serde_json::json;

use super::context::StaffContext;
use super::error::AdminError;
use super::frame::{Frame, Nav, render};
use super::time::Time;
use super::words;
use crate::app::App;
use crate::flows::service_health::{DatabaseHealth, ServiceHealth, check_health};

/// Less room than this on the database's disk is worth a word: 1 GiB.
const LITTLE_ROOM: u64 = 1 << 30;
/// The roll-up should not be behind for longer.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(5);
/// Keys older than this should be rotated.
const OLD_KEYS: TimeDelta = TimeDelta::days(365);

/// The page.
#[derive(Template)]
#[template(path = "admin/health/show.html")]
struct HealthPage {
    frame: Frame,
    lines: Vec<Line>,
}

/// One thing that was looked at.
struct Line {
    name: &'static str,
    /// The class of the status.
    tone: &'static str,
    status: String,
    text: String,
    time: Option<Time>,
}

/// `GET /admin/settings/health`
///
/// # Errors
/// [`AdminError::Render`].
pub async fn show_health(app: Data<App>, staff: StaffContext) -> Result<HttpResponse, AdminError> {
    let health = check_health(&app).await;
    let frame = staff.frame(&app, "Health", Nav::Settings);
    let lines = vec![
        database_line(&health),
        migrations_line(health.database.as_ref()),
        disk_line(&health),
        upkeep_line(&frame, health.database.as_ref()),
        keys_line(&frame, &health),
        providers_line(&health),
        Line {
            name: "Version",
            tone: "",
            status: health.version.to_owned(),
            text: format!("Instance {}, started", health.instance),
            time: Some(frame.time(health.started_at)),
        },
    ];
    render(&HealthPage { frame, lines })
}

/// `GET /admin/settings/health.json`. 503 when the database does not answer or lacks a migration.
pub async fn show_health_json(app: Data<App>, _staff: StaffContext) -> HttpResponse {
    let health = check_health(&app).await;
    let instant = |at: Option<chrono::DateTime<Utc>>| at.map(crate::web::rfc3339);
    let is_well = health
        .database
        .as_ref()
        .is_some_and(|database| database.pending_migrations.is_empty());
    let status = if is_well {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let database = health.database.as_ref();
    HttpResponse::build(status).json(json!({
        "status": if is_well { "ok" } else { "unavailable" },
        "version": health.version,
        "instance": health.instance,
        "started_at": crate::web::rfc3339(health.started_at),
        "database": {
            "backend": health.backend,
            "answers": database.is_some(),
            "pending_migrations": database.map(|database| &database.pending_migrations),
            "used_bytes": health.disk.map(|disk| disk.used_bytes),
            "free_bytes": health.disk.and_then(|disk| disk.free_bytes),
        },
        "upkeep": {
            "waiting_entries": database.map(|database| database.waiting_entries),
            "waiting_since": instant(database.and_then(|database| database.waiting_since)),
        },
        "keys_changed_at": instant(health.keys_changed_at),
        "failing_providers": health.failing_providers,
    }))
}

fn line(name: &'static str, tone: &'static str, status: impl Into<String>) -> Line {
    Line {
        name,
        tone,
        status: status.into(),
        text: String::new(),
        time: None,
    }
}

fn database_line(health: &ServiceHealth) -> Line {
    let name = match health.backend {
        "sqlite" => "SQLite",
        _ => "PostgreSQL",
    };
    if health.database.is_some() {
        Line {
            text: name.to_owned(),
            ..line("Database", "", "Answers")
        }
    } else {
        Line {
            text: format!("{name}. Sign-ups and sign-ins are refused until it does."),
            ..line("Database", "bad", "Does not answer")
        }
    }
}

fn migrations_line(database: Option<&DatabaseHealth>) -> Line {
    match database {
        None => line("Migrations", "off", "Not known"),
        Some(database) if database.pending_migrations.is_empty() => {
            line("Migrations", "", "All applied")
        }
        Some(database) => Line {
            text: format!(
                "Missing: {}. Run latchkey migrate.",
                database.pending_migrations.join(", ")
            ),
            ..line("Migrations", "bad", "Behind")
        },
    }
}

fn disk_line(health: &ServiceHealth) -> Line {
    let Some(disk) = health.disk else {
        return Line {
            text: "The database server has it.".to_owned(),
            ..line("Disk", "off", "Not ours")
        };
    };
    let used = format!("The database takes {}.", bytes(disk.used_bytes));
    match disk.free_bytes {
        None => Line {
            text: used,
            ..line("Disk", "off", "Not known")
        },
        Some(free) => Line {
            text: used,
            ..line(
                "Disk",
                if free < LITTLE_ROOM { "warn" } else { "" },
                format!("{} free", bytes(free)),
            )
        },
    }
}

fn upkeep_line(frame: &Frame, database: Option<&DatabaseHealth>) -> Line {
    const NAME: &str = "Upkeep";
    let Some(database) = database else {
        return line(NAME, "off", "Not known");
    };
    let Some(since) = database.waiting_since else {
        return Line {
            text: "Lists, search and charts have everything.".to_owned(),
            ..line(NAME, "", "Up to date")
        };
    };
    let is_late = frame.now() - since > LONGEST_WAIT;
    let more = if database.has_more_waiting {
        "more than "
    } else {
        ""
    };
    Line {
        text: format!(
            "{more}{} audit entries wait for the roll-up; pages count them all the same. The oldest was written",
            words::number(database.waiting_entries as u64)
        ),
        time: Some(frame.time(since)),
        ..if is_late {
            line(NAME, "warn", "Behind")
        } else {
            line(NAME, "", "Up to date")
        }
    }
}

fn keys_line(frame: &Frame, health: &ServiceHealth) -> Line {
    const NAME: &str = "Keys";
    let Some(changed_at) = health.keys_changed_at else {
        return line(NAME, "off", "Age not known");
    };
    let is_old = frame.now() - changed_at > OLD_KEYS;
    Line {
        text: "The key file was last changed".to_owned(),
        time: Some(frame.time(changed_at)),
        ..if is_old {
            line(NAME, "warn", "Older than a year")
        } else {
            line(NAME, "", "In place")
        }
    }
}

fn providers_line(health: &ServiceHealth) -> Line {
    match health.failing_providers {
        0 => line("Providers", "", "None is failing"),
        1 => line("Providers", "bad", "1 is failing"),
        count => line("Providers", "bad", format!("{count} are failing")),
    }
}

/// A size in the unit that leaves one to three digits.
fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut size = bytes;
    let mut rest = 0;
    let mut unit = 0;
    while size >= 1024 && unit + 1 < UNITS.len() {
        rest = size % 1024;
        size /= 1024;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if size < 10 && unit > 0 {
        return format!("{size}.{} {name}", rest * 10 / 1024);
    }
    format!("{size} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_a_fitting_unit() {
        for (size, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (57 << 30, "57 GiB"),
            (u64::MAX, "16777215 TiB"),
        ] {
            assert_eq!(bytes(size), text);
        }
    }
}
