//! `GET /admin/settings/health`, and the same as JSON: is the service healthy?

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use chrono::{TimeDelta, Utc};
use serde_json::json;

use super::context::StaffContext;
use super::error::AdminError;
use super::frame::{Frame, Nav};
use super::text::{Arg, Message, filters, t};
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
    name: Message,
    /// The class of the status.
    tone: &'static str,
    status: Message,
    text: Message,
}

/// `GET /admin/settings/health`
///
/// # Errors
/// [`AdminError::Render`].
pub async fn show_health(app: Data<App>, staff: StaffContext) -> Result<HttpResponse, AdminError> {
    let health = check_health(&app).await;
    let frame = staff.frame(&app, t("settings-health"), Nav::Settings);
    let lines = vec![
        database_line(&health),
        migrations_line(health.database.as_ref()),
        disk_line(&health),
        upkeep_line(&frame, health.database.as_ref()),
        keys_line(&frame, &health),
        providers_line(&health),
        Line {
            name: t("health-version"),
            tone: "",
            status: Message::verbatim(health.version),
            text: t("health-instance")
                .with("instance", &health.instance)
                .with("time", frame.time(health.started_at)),
        },
    ];
    staff.render(&HealthPage { frame, lines })
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

/// One thing, by the ids of its name and state.
fn line(name: &'static str, tone: &'static str, status: &'static str) -> Line {
    Line {
        name: t(name),
        tone,
        status: t(status),
        text: t(""),
    }
}

fn database_line(health: &ServiceHealth) -> Line {
    const NAME: &str = "health-database";
    let backend = match health.backend {
        "sqlite" => "SQLite",
        _ => "PostgreSQL",
    };
    if health.database.is_some() {
        Line {
            text: Message::verbatim(backend),
            ..line(NAME, "", "health-answers")
        }
    } else {
        Line {
            text: t("health-database-silent").with("backend", backend),
            ..line(NAME, "bad", "health-does-not-answer")
        }
    }
}

fn migrations_line(database: Option<&DatabaseHealth>) -> Line {
    const NAME: &str = "health-migrations";
    match database {
        None => line(NAME, "off", "health-not-known"),
        Some(database) if database.pending_migrations.is_empty() => {
            line(NAME, "", "health-all-applied")
        }
        Some(database) => Line {
            text: t("health-migrations-missing")
                .with("migrations", database.pending_migrations.join(", ")),
            ..line(NAME, "bad", "health-behind")
        },
    }
}

fn disk_line(health: &ServiceHealth) -> Line {
    const NAME: &str = "health-disk";
    let Some(disk) = health.disk else {
        return Line {
            text: t("health-disk-of-server"),
            ..line(NAME, "off", "health-not-ours")
        };
    };
    let text = t("health-disk-used").with("size", bytes(disk.used_bytes));
    match disk.free_bytes {
        None => Line {
            text,
            ..line(NAME, "off", "health-not-known")
        },
        Some(free) => Line {
            text,
            name: t(NAME),
            tone: if free < LITTLE_ROOM { "warn" } else { "" },
            status: t("health-disk-free").with("size", bytes(free)),
        },
    }
}

fn upkeep_line(frame: &Frame, database: Option<&DatabaseHealth>) -> Line {
    const NAME: &str = "health-upkeep";
    let Some(database) = database else {
        return line(NAME, "off", "health-not-known");
    };
    let Some(since) = database.waiting_since else {
        return Line {
            text: t("health-upkeep-done"),
            ..line(NAME, "", "health-up-to-date")
        };
    };
    let is_late = frame.now() - since > LONGEST_WAIT;
    let waiting = t(if database.has_more_waiting {
        "health-upkeep-waiting-more"
    } else {
        "health-upkeep-waiting"
    });
    Line {
        text: waiting
            .with("count", database.waiting_entries)
            .with("time", frame.time(since)),
        ..if is_late {
            line(NAME, "warn", "health-behind")
        } else {
            line(NAME, "", "health-up-to-date")
        }
    }
}

fn keys_line(frame: &Frame, health: &ServiceHealth) -> Line {
    const NAME: &str = "health-keys";
    let Some(changed_at) = health.keys_changed_at else {
        return line(NAME, "off", "health-keys-unknown");
    };
    let is_old = frame.now() - changed_at > OLD_KEYS;
    Line {
        text: t("health-keys-changed").with("time", frame.time(changed_at)),
        ..if is_old {
            line(NAME, "warn", "health-keys-old")
        } else {
            line(NAME, "", "health-keys-in-place")
        }
    }
}

fn providers_line(health: &ServiceHealth) -> Line {
    const NAME: &str = "nav-providers";
    match health.failing_providers {
        0 => line(NAME, "", "health-none-failing"),
        count => Line {
            status: t("health-failing").with("count", count),
            ..line(NAME, "bad", "health-none-failing")
        },
    }
}

/// A size in the unit that leaves one to three digits.
fn bytes(bytes: u64) -> Message {
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
    let size = if size < 10 && unit > 0 {
        Arg::Tenths(size * 10 + rest * 10 / 1024)
    } else {
        Arg::Text(size.to_string())
    };
    t("number-size").with("size", size).with("unit", name)
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
            assert_eq!(bytes(size).to_string(), text);
        }
    }
}
