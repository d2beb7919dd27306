//! Filters of the templates: `"id"|t`, `|with("name", value)`, `|html`, and `role|role`.

use std::borrow::Borrow;

use askama::Values;

use super::{Html, Message, ToArg};
use crate::domain::Role;
use crate::web::admin::words;

/// The string with this id.
#[askama::filter_fn]
pub fn t(id: &'static str, _: &dyn Values) -> askama::Result<Message> {
    Ok(super::t(id))
}

/// With `value` in place of `{ $name }`.
#[askama::filter_fn]
pub fn with<V: ToArg>(
    message: Message,
    _: &dyn Values,
    name: &'static str,
    value: V,
) -> askama::Result<Message> {
    Ok(message.with(name, value))
}

/// A role.
#[askama::filter_fn]
pub fn role(role: &Role, _: &dyn Values) -> askama::Result<Message> {
    Ok(words::role(*role))
}

/// A string with markup.
#[askama::filter_fn]
pub fn html<M: Borrow<Message>>(message: M, _: &dyn Values) -> askama::Result<Html> {
    Ok(Html(message.borrow().clone()))
}
