//! One's own second factor.

use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use qrcodegen::{QrCode, QrCodeEcc};
use serde::Deserialize;

use super::context::{ContextOf, StaffContext};
use super::error::AdminError;
use super::forms::{FormErrors, NoFields, ProtectedForm};
use super::frame::{Frame, Nav};
use super::notices::Notice;
use super::text::{filters, t};
use crate::app::App;
use crate::domain::Secret;
use crate::flows::staff::{
    NewFactor, StaffError, factor_of, new_recovery_codes, new_second_factor, remove_second_factor,
    set_second_factor, view_own_account,
};

/// This page's address.
const PATH: &str = "/admin/settings/second-factor";
/// Where authenticator apps put the name of the service.
const ISSUER: &str = "Latchkey";

/// The page on which a second factor is set up.
#[derive(Template)]
#[template(path = "admin/second_factor/set_up.html")]
struct SetUpPage {
    frame: Frame,
    is_demanded: bool,
    /// The secret in groups of four.
    secret: String,
    uri: String,
    qr: Option<Qr>,
    sealed: String,
    errors: FormErrors,
}

/// A QR code as one path of an SVG.
struct Qr {
    size: i32,
    path: String,
}

impl Qr {
    /// The code of `text`, unless that is too long for one.
    fn new(text: &str) -> Option<Self> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let mut path = String::new();
        for y in 0..code.size() {
            let mut x = 0;
            while x < code.size() {
                let run = (x..code.size())
                    .take_while(|x| code.get_module(*x, y))
                    .count();
                let run = i32::try_from(run).unwrap_or_default();
                if run > 0 {
                    // A quiet zone of four modules is part of the code (ISO/IEC 18004 §6.3.8).
                    let drawn = write!(path, "M{} {}h{run}v1h-{run}z", x + 4, y + 4);
                    drawn.ok()?;
                }
                x += run.max(1);
            }
        }
        Some(Self {
            size: code.size() + 8,
            path,
        })
    }
}

impl SetUpPage {
    fn new(app: &App, staff: &StaffContext, factor: NewFactor, errors: FormErrors) -> Self {
        let frame = staff.frame(app, t("factor-set-up-title"), Nav::Settings);
        let uri = factor.secret.uri(ISSUER, &staff.staff.email);
        let secret = factor.secret.base32();
        Self {
            frame: frame.with_errors(!errors.is_empty()),
            is_demanded: app.staff_policy.lacks_second_factor(&staff.staff),
            secret: in_fours(&secret),
            qr: Qr::new(uri.expose()),
            uri: uri.expose().to_owned(),
            sealed: factor.sealed,
            errors,
        }
    }
}

fn in_fours(secret: &Secret) -> String {
    let letters: Vec<char> = secret.expose().chars().collect();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    groups.join(" ")
}

/// The page of a second factor that is set up.
#[derive(Template)]
#[template(path = "admin/second_factor/show.html")]
struct SecondFactorPage {
    frame: Frame,
    recovery_codes: i64,
    is_demanded: bool,
}

/// `GET /admin/settings/second-factor`
///
/// # Errors
/// [`AdminError::StepUpNeeded`], [`AdminError::Storage`], [`AdminError::Sealing`].
pub async fn show_second_factor(
    app: Data<App>,
    staff: StaffContext,
) -> Result<HttpResponse, AdminError> {
    if staff.staff.has_second_factor {
        let own = view_own_account(&app, staff.staff.id).await?;
        return staff.render(&SecondFactorPage {
            frame: staff.frame(&app, t("factor-title"), Nav::Settings),
            recovery_codes: own.recovery_codes,
            is_demanded: app.staff_policy.require_second_factor
                || staff.staff.must_have_second_factor,
        });
    }
    // Otherwise an unattended browser could be given the second factor of somebody else.
    staff.require_fresh_sign_in(PATH)?;
    let factor = new_second_factor(&app, staff.staff.id)?;
    staff.render(&SetUpPage::new(&app, &staff, factor, FormErrors::none()))
}

/// The sealed secret of the page, and the code that proves that the app has it.
#[derive(Deserialize)]
pub struct SetUpForm {
    sealed: String,
    #[serde(default)]
    code: String,
}

/// The page that shows recovery codes, once.
#[derive(Template)]
#[template(path = "admin/second_factor/codes.html")]
struct CodesPage {
    frame: Frame,
    codes: Vec<String>,
}

impl CodesPage {
    fn new(app: &App, staff: &StaffContext, codes: &[Secret]) -> Self {
        Self {
            frame: staff.frame(app, t("factor-codes-title"), Nav::Settings),
            codes: codes.iter().map(|code| code.expose().to_owned()).collect(),
        }
    }
}

/// `POST /admin/settings/second-factor`: the answer shows the recovery codes, so it is no redirect.
///
/// # Errors
/// [`AdminError::StepUpNeeded`], [`AdminError::Conflict`] when there is a second factor already, [`AdminError::Storage`].
pub async fn set_up(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    ProtectedForm(form): ProtectedForm<SetUpForm>,
) -> Result<HttpResponse, AdminError> {
    staff.require_fresh_sign_in(PATH)?;
    let Ok(factor) = factor_of(&app, staff.staff.id, &form.sealed) else {
        return Err(AdminError::FormRefused("sealed secret"));
    };
    let who = staff.signed_in();
    match set_second_factor(&app, &who, &factor, &form.code, context).await {
        Ok(codes) => staff.render(&CodesPage::new(&app, &staff, &codes)),
        Err(StaffError::Refused) => {
            let errors = FormErrors::one("code", t("factor-refused"));
            let page = SetUpPage::new(&app, &staff, factor, errors);
            staff.render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/settings/second-factor/recovery-codes`
///
/// # Errors
/// [`AdminError::StepUpNeeded`], [`AdminError::Conflict`].
pub async fn renew_codes(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    _: ProtectedForm<NoFields>,
) -> Result<HttpResponse, AdminError> {
    staff.require_fresh_factor(PATH)?;
    let codes = new_recovery_codes(&app, &staff.signed_in(), context).await?;
    staff.render(&CodesPage::new(&app, &staff, &codes))
}

/// `POST /admin/settings/second-factor/remove`
///
/// # Errors
/// [`AdminError::StepUpNeeded`], [`AdminError::Storage`].
pub async fn remove(
    app: Data<App>,
    staff: StaffContext,
    ContextOf(context): ContextOf,
    _: ProtectedForm<NoFields>,
) -> Result<HttpResponse, AdminError> {
    staff.require_fresh_factor(PATH)?;
    remove_second_factor(&app, &staff.signed_in(), context).await?;
    let notice = Notice::warn(t("factor-removed"));
    Ok(staff.redirect_with_notice("/admin/settings", notice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qr_code_is_one_path_with_a_quiet_zone() {
        let qr = Qr::new("otpauth://totp/Latchkey:jo").unwrap();

        // The finder pattern's upper edge: seven dark modules beside the quiet zone.
        assert!(qr.path.starts_with("M4 4h7v1h-7z"), "{}", qr.path);
        assert!(qr.size >= 29);
        assert!(Qr::new(&"x".repeat(4000)).is_none());
    }
}
