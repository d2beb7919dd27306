//! `latchkey createsuperuser`

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::{DatabaseArgs, Failure, command_context};
use crate::app::{App, Clock};
use crate::config::Config;
use crate::domain::staff::{DisplayName, NewStaff, StaffEmail};
use crate::domain::{Actor, Role, Secret, Staff};
use crate::flows::staff::{FIRST_LINK, StaffError, create_staff, invite_staff};
use crate::start::build_app;
use crate::web::admin::staff_accounts::welcome_link;

#[derive(Args)]
pub(super) struct CreatesuperuserArgs {
    /// The address to sign in with
    #[arg(long, value_name = "EMAIL")]
    email: String,
    /// The name that pages and the audit log show; what stands before the @ unless given
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Take the password from the first line of this file instead of printing a link
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArgs,
}

impl CreatesuperuserArgs {
    pub(super) const fn database(&self) -> &DatabaseArgs {
        &self.database
    }
}

/// Makes the account. The service may run meanwhile.
pub(super) fn run(args: &CreatesuperuserArgs, config: &Config) -> Result<(), Failure> {
    let local = args.email.split('@').next().unwrap_or_default();
    let name = args.name.as_deref().unwrap_or(local);
    let password = args.password_file.as_ref().map(read_password).transpose()?;
    actix_web::rt::System::new().block_on(async {
        let app = build_app(config, config.server.bind, Clock::system())?;
        let made = match password {
            Some(password) => {
                let staff = make_superuser(&app, &args.email, name, password).await?;
                println!("{} is a superuser and can sign in.", staff.email);
                Ok(())
            }
            None => print_link(&app, &args.email, name).await,
        };
        app.db.close().await;
        made
    })
}

fn read_password(path: &PathBuf) -> Result<Secret, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(format!(
            "cannot read {}: {error}\n    check --password-file",
            path.display()
        ))
    })?;
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
}

async fn print_link(app: &App, email: &str, name: &str) -> Result<(), Failure> {
    let new = superuser(email, name)?;
    let lifetime = Some(FIRST_LINK);
    let invited = invite_staff(app, Actor::System, new, false, lifetime, command_context()).await;
    let (staff, token) = invited.map_err(refusal)?;
    println!(
        "{} is a superuser. Set the password within 15 minutes, once:\n  {}",
        staff.email,
        welcome_link(app.access_tokens.issuer(), &token)
    );
    Ok(())
}

/// Makes a superuser with a password.
pub(super) async fn make_superuser(
    app: &App,
    email: &str,
    name: &str,
    password: Secret,
) -> Result<Staff, Failure> {
    let new = superuser(email, name)?;
    create_staff(app, Actor::System, new, password, command_context())
        .await
        .map_err(refusal)
}

fn superuser(email: &str, name: &str) -> Result<NewStaff, Failure> {
    let email = StaffEmail::parse(email).ok_or_else(|| {
        Failure::new(format!(
            "{email} is no address of mail\n    write --email jo@example.org"
        ))
    })?;
    let display_name = DisplayName::parse(name).ok_or_else(|| {
        Failure::new(
            "the name is empty or longer than 80 characters\n    write --name \"Jo Meyer\"",
        )
    })?;
    Ok(NewStaff {
        email,
        display_name,
        role: Role::Superuser,
    })
}

fn refusal(error: StaffError) -> Failure {
    match error {
        StaffError::EmailTaken => Failure::new(
            "a staff account has this address already\n    choose another --email; a superuser can hand out a new link in the settings",
        ),
        StaffError::WeakPassword(problem) => Failure::new(format!(
            "the password was not taken: {}\n    choose another one",
            problem.sentence()
        )),
        error => Failure::new(format!("the account was not made: {error}")),
    }
}
