# What staff read, in English. `{ $name }` is put in by the page; a message with a tag in it is written as markup, and what is put into
# it is escaped.

## What every page has

layout-title-error = Error:
layout-skip = Skip to content
layout-brand = Latchkey, overview
layout-search = Find a user by email, username, user id or provider uid
layout-search-hint = Email, username, id or provider uid
layout-your-account = Your account, { $name },
layout-role =
    { $role ->
        [staff] role: staff
        [admin] role: admin
       *[superuser] role: superuser
    }
layout-times-shown = Times shown in { $zone }
layout-sign-out = Sign out
layout-menu = Main
layout-attention = <span class="vh">(</span>{ $count }<span class="vh"> needs attention)</span>
layout-breadcrumb = Breadcrumb
layout-foot = Times in { $zone } · hover or focus a time for the exact instant · version { $version }
layout-foot-keys = press <kbd>?</kbd> for keys
# What a copy button says: before, after, and when it did not work.
layout-copy-words = Copy,Copied,Not copied

nav-overview = Overview
nav-users = Users
nav-accounts = Accounts
nav-activity = Activity
nav-providers = Providers
nav-settings = Settings

role-staff = Staff
role-admin = Admin
role-superuser = Superuser

# What is copied, after "Copy".
copy-uid = uid
copy-user-id = user id
copy-request-id = request id

ui-form-errors = That did not work
ui-pages = Pages
ui-back = Back
ui-next = Next
ui-continue-with = Continue with { $provider }
ui-alert-since = Since { $time }. Sign-ups with other providers are not affected.
ui-alert-link = See the provider
ui-removed-link = See what to do

reason-label = Reason
reason-hint = A ticket number or a sentence. Shown in the audit log; never to the user.

keys-title = Keys
keys-search = Search
keys-rows = Next and previous row of a list
keys-enter = Enter
keys-open = Open the row
keys-pages = Next and previous page of a list
keys-escape = Esc
keys-close = Close what is open
keys-help = This help
keys-hint = They do nothing while you type, and can be switched off in the <a href="/admin/preferences">preferences</a>.
keys-close-help = Close

## Times

time-exact = { $date }, { $time } { $zone }
time-date = { $day } { $month } { $year }
time-day = { $day } { $month }
time-day-clock = { $day }, { $time }
time-just-now = just now
time-minutes-ago = { $count } min ago
time-hours-ago = { $count } h ago
time-yesterday = yesterday
time-days-ago = { $count } days ago
time-in-a-moment = in a moment
time-in-minutes = in { $count } min
time-in-hours = in { $count } h
time-tomorrow = tomorrow
time-in-days = in { $count } days

month-jan = Jan
month-feb = Feb
month-mar = Mar
month-apr = Apr
month-may = May
month-jun = Jun
month-jul = Jul
month-aug = Aug
month-sep = Sep
month-oct = Oct
month-nov = Nov
month-dec = Dec
month-january = January
month-february = February
month-march = March
month-april = April
month-may-whole = May
month-june = June
month-july = July
month-august = August
month-september = September
month-october = October
month-november = November
month-december = December

## Lists

list-views = Saved views
list-filters = Filters
list-apply = Apply
list-remove-filter = Remove this filter
list-clear-filters = Clear filters
list-export = Export
list-export-hint = The view you see, as a stream. Written to the audit log.
# Before the heads of columns, where rows are cards.
list-sort-by = Sort by
list-rows = Rows
list-export-csv = Comma-separated (CSV)
list-export-ndjson = One JSON object a line (NDJSON)
list-in-all = { $count } in all
list-shown = Showing { $shown }
list-shown-of = Showing { $shown } of { $all }
list-shown-of-more = Showing { $shown } of more than { $all }
list-view-new-today = New today
list-view-token-expired = Access token expired
list-user = User
list-status = Status
list-social-accounts = Social accounts
list-access-token = Access token
list-last-sign-in = Last sign-in
list-signed-up = Signed up
list-associated = Associated
# Before a time, where there is no head above it.
list-seen = Seen
list-never = Never
list-of-things = { $before }, { $next }
list-nothing-matches = Nothing matches
list-look-at-providers = Look at the providers
list-foreign-cursor = The page that was asked for belongs to another order or filter. This is the first page.
list-behind = Search and filters are catching up with many changes. The latest ones may be missing for a moment.

status-active = Active
status-inactive = Inactive
status-invited = Invited

token-none = None
token-lasts = Does not expire
token-expired = Expired
token-valid = Valid

filter-today = today
filter-signed-up-today = Signed up: today
filter-signed-up-since = Signed up: since { $from }
filter-signed-up-until = Signed up: until { $to }
filter-signed-up-between = Signed up: { $from } to { $to }
filter-associated-today = Associated: today
filter-associated-since = Associated: since { $from }
filter-associated-until = Associated: until { $to }
filter-associated-between = Associated: { $from } to { $to }
filter-seen-before = Last sign-in: before { $day }
filter-from = From
filter-to = To
filter-before = Before
filter-provider = Provider
filter-providers = Provider: { $providers }
filter-any = Any
filter-any-number = Any number
filter-any-state = Any state
filter-none = None
filter-exactly-one = Exactly one
filter-two-or-more = Two or more
filter-accounts-none = Social accounts: none
filter-accounts-one = Social accounts: exactly one
filter-accounts-more = Social accounts: two or more
filter-status-active = Status: active
filter-status-inactive = Status: inactive
filter-token-expired = Access token: expired

query-unknown = This address does not know the parameter { $unknown }. It knows { $known }.
query-unknown-of-none = This address does not know the parameter { $unknown }. It knows none.
query-twice = The parameter { $name } is there twice.
query-not-one-of = The parameter { $name } is { $values }.
query-or = { $first } or { $next }
query-too-short = The parameter { $name } is too short to search for.
query-not-rows = The parameter { $name } is a number from 1 to 100.
query-foreign-cursor = The parameter { $name } belongs to another list, order or filter.
query-not-a-provider = The parameter { $name } is the id of a provider, such as google.
query-not-a-day = The parameter { $name } is a date such as 2026-11-23, or today.

users-view-all = All users
users-view-several = Several accounts
users-view-none = No account
users-no-email = No email
users-never-seen = Never seen
users-latest-sign-up = Users, latest sign-up first
users-earliest-sign-up = Users, earliest sign-up first
users-latest-sign-in = Users, latest sign-in first
users-earliest-sign-in = Users, earliest sign-in first
users-names-from-a = Users, user names from A
users-names-from-z = Users, user names from Z
users-addresses-from-a = Users, addresses from A
users-addresses-from-z = Users, addresses from Z
users-opened = Opened the only match.
users-opened-list = Show as a list
users-looks-like-token = That looks like an access token. It was not searched or logged.
users-nobody-heading = Nobody has signed up yet
users-nobody = The first user is created when an app hands in a proof from a provider. Providers shows which are set up.
users-too-short = Type at least { $count } characters, or the whole id, email, username or provider uid.
users-not-found = No user has “{ $typed }” as id or provider uid, or in the username, email or name.
users-no-fit = No user fits all of the filters above.

accounts-view-all = All accounts
accounts-view-several = Of users with several
accounts-view-inactive = Of inactive users
accounts-provider-and-uid = Provider and uid
accounts-last-used = Last used
# Before a time, where there is no head above it.
accounts-used = Used
accounts-latest-first = Social accounts, latest association first
accounts-earliest-first = Social accounts, earliest association first
accounts-no-fit = No social account fits all of the filters above.
accounts-none-heading = No social accounts yet
accounts-none = The first one is associated when somebody signs up. Providers shows which are set up.

## Preferences

preferences-title = Preferences
preferences-scope = Of this browser
preferences-appearance = Appearance
preferences-theme-system = System
preferences-theme-light = Light
preferences-theme-dark = Dark
preferences-language = Language
preferences-zone = Time zone
preferences-zone-now = It is { $now } there.
preferences-rows = Rows a page
preferences-keys = Keyboard shortcuts
preferences-keys-on = On
preferences-keys-off = Off
preferences-keys-hint = Single characters, such as / for search. They do nothing while you type.

## Errors

error-status = Status { $status }
error-request = request
error-sign-in-refused-heading = This account may not sign in here
error-sign-in-refused = Ask a superuser whether it should. If the sign-in took longer than 10 minutes or began in another browser, start it anew.
error-step-up-refused-heading = That did not confirm that it is you
error-step-up-refused = It takes the account that you sign in here with, and a provider that asks for your password anew. If yours does not, sign out and in again, and set up a second factor within 10 minutes: its code confirms who you are.
error-sign-in-not-completed-heading = The sign-in was not completed
error-sign-in-not-completed = The provider sent you back without telling us who you are. Nothing was changed. Try again, or sign in another way.
error-provider-unavailable-heading = The provider cannot be reached just now
error-provider-unavailable = Try again in a moment, or sign in with email and password.
error-invalid-request-heading = That request does not fit
error-sign-in-needed-heading = You are signed out
error-sign-in-needed = Your session has ended, so nothing was changed. Sign in and send the form again.
error-factor-needed-heading = Prove who you are first
error-factor-needed = This needs a proof of who you are.
error-form-refused-heading = That form was not accepted
error-form-refused = It was open for too long, or it does not come from this service. Nothing was changed. Open the page again and send it from there.
error-forbidden-heading = Your role does not allow that
error-not-found-heading = There is nothing here
error-not-found = The address may be mistyped, or what was here has been removed.
error-method-not-allowed-heading = That cannot be done here
error-method-not-allowed = This address does not take that kind of request.
error-conflict-heading = Things have changed meanwhile
error-body-too-large-heading = That is too much at once
error-body-too-large = The form is larger than 64 KiB. Nothing was changed.
error-body-too-slow-heading = The form did not arrive in time
error-body-too-slow = Nothing was changed. Send it again.
error-too-many-tries-heading = Too many tries
error-unavailable-heading = Latchkey is not available just now
error-unavailable = The database does not answer, or there is too much to do. Try again in a moment.
error-internal-heading = Something went wrong on our side
error-internal = The log has the details under the request id below.
error-wait-seconds =
    { $count ->
        [1] Wait a second and try again.
       *[other] Wait { $count } seconds and try again.
    }
error-wait-minutes =
    { $count ->
        [1] Wait a minute and try again.
       *[other] Wait { $count } minutes and try again.
    }
error-forbidden =
    { $role ->
        [staff] This needs the role staff. Ask a superuser if you should have it.
        [admin] This needs the role admin. Ask a superuser if you should have it.
       *[superuser] This needs the role superuser. Ask a superuser if you should have it.
    }
error-address-unreadable = The address cannot be read: { $error }
error-did-not-fit = That did not fit. Nothing was changed.
error-email-taken = Another staff account has this address.
error-last-superuser = This is the last superuser who can sign in. Make somebody else a superuser first.
error-gone = What you wanted to change is no longer there, or somebody has changed it already.
error-to-settings = Go to the settings
error-to-sign-in = Sign in
error-to-sign-in-page = Go to the sign-in page
error-to-second-factor = Go to the second factor
error-to-overview = Go to the overview

form-unreadable = The form cannot be read: { $error }
form-broke-off = The form broke off.

password-too-short = Use at least 12 characters.
password-too-long = Use at most 1024 bytes.
password-guessable = That is too easy to guess: use more different characters, and neither the address nor the name.

form-email-label = Email
form-save = Save
form-name-label = Name
form-email = Write an address like jo@example.org.
form-email-taken = Another account has this address.

# On pages that ask before something is done.
confirm-what-will-happen = What will happen
confirm-leave = Leave it

## Signing in

sign-in-title = Sign in
sign-in-submit = Sign in
sign-in-or = or
sign-in-staff-only = Staff only.
sign-in-signed-out = You are signed out.
sign-in-refused = Email and password do not fit together.

code-title = Enter your code
code-label = Code
code-hint = Six digits from your authenticator app, or a recovery code.
code-start-over = Start over

welcome-title = Welcome
welcome-first = Welcome to Latchkey
welcome-first-hint = You are the first. Your account will be a superuser: it can see and change everything, and invite others.
welcome-staff = Welcome, { $name }
welcome-choose = Choose a password for <b>{ $email }</b>.
welcome-old-ends = The old one, and every session, ends with that.
welcome-name = Write your name, at most 80 characters.
welcome-submit = Set password
welcome-bad-link = This link cannot be used
welcome-bad-link-hint = It was used before, has expired, or is incomplete. A superuser can give you a new one.

forward-title = On to { $provider }
forward-sentence = You sign in at { $provider } and come back here.
forward-link = Go to { $provider }
forward-back-title = You are back
forward-back = The provider has told us who you are.

step-up-title = Confirm that it is you
step-up-by-code = What you are about to do can harm people. Enter a code; it counts for 10 minutes.
step-up-by-password = What you are about to do can harm people. Enter your password; it counts for 10 minutes.
step-up-by-provider = What you are about to do can harm people. Sign in anew where you come from; it counts for 10 minutes. If that does not help, sign out and in again, and <a href="/admin/settings/second-factor">set up a second factor</a> within 10 minutes.
step-up-by-none = What you are about to do can harm people. It takes a code to confirm it: sign out and in again, and <a href="/admin/settings/second-factor">set up a second factor</a> within 10 minutes.
step-up-submit = Go on

## The second factor

factor-title = Second factor
factor-on = On
factor-not-set-up = Not set up
factor-is-on = Your second factor is on.
factor-removed = Your second factor is removed. Set up another one.
factor-refused = That code is wrong or was used before. Wait for the next one, or use a recovery code.
factor-demanded = Your account needs a second factor before anything else.
factor-set-up-title = Set up a second factor
factor-step-1 = 1. Add Latchkey to your authenticator app
factor-scan = Scan this code:
factor-qr = QR code of the secret below
factor-type = Or type the secret: <code class="secret">{ $secret }</code>
factor-on-this-device = On this device
factor-open-app = Open your authenticator app
factor-step-2 = 2. Enter the code that it shows
factor-code-hint = Six digits, new every 30 seconds.
factor-switch-on = Switch it on
factor-not-now = Not now
factor-codes-title = Recovery codes
factor-codes-hint = Print these or put them into a password manager. Each signs you in once when you do not have your phone. They are shown only now.
factor-codes-kept = I have kept them
factor-codes-left = { $count } of 10 recovery codes left
factor-new-codes = New recovery codes
factor-new-codes-hint = The old ones stop working.
factor-make-codes = Make new recovery codes
factor-another-phone = Another phone
factor-another-phone-hint = Remove the second factor, and set up another one.
factor-another-phone-demanded = Your account needs one, so that is the first thing you will be asked for.
factor-remove = Remove the second factor

## Settings

settings-title = Settings
settings-health = Health
settings-webhooks = Webhooks
settings-your-account = Your account
settings-change-password = Change password…
settings-password-hint = At least 12 characters. Changing it ends your other sessions.
settings-password-not-set = Not set
settings-password-none = You need none. A superuser can make a link for setting one.
settings-you-sign-in-with = You sign in with { $provider }
settings-as-since = As <code>{ $uid }</code> since { $since }.
settings-factor-manage = Manage<span class="vh"> second factor</span>…
settings-factor-set-up = Set up<span class="vh"> second factor</span>…
settings-factor-hint = A code from an app on your phone, beside the password.
settings-codes-left = { $count } of 10 recovery codes left.
settings-your-sessions = Your sessions
settings-end-others = End all others
settings-this-session = This one
settings-end-session = End<span class="vh"> the session of { $device }</span>
settings-session-with = with { $provider }
settings-session-ended = The session has ended.
settings-sessions-ended =
    { $count ->
        [0] There was no other session.
        [1] The other session has ended.
       *[other] { $count } other sessions have ended.
    }
settings-staff = Staff
settings-staff-caption = Staff accounts by name
settings-invite = Invite…
settings-no-factor = No second factor
settings-signs-in-with = Signs in with
settings-you = You
settings-times = Times and appearance

session-since = since { $time }
session-used = used { $time }

password-title = Change password
password-label = Password
password-current = Current password
password-new = New password
password-hint = At least 12 characters. A few words are easy to remember.
password-keep = Keep it
password-changed = Your password is changed. All your other sessions have ended.
password-wrong = That is not your password.

## Staff accounts

staff-role = Role
staff-role-hint = Staff look. Admins also unlink, undo, deactivate, revoke and export. Superusers also manage staff.
staff-no-such-role = There is no such role.
staff-this-is-you = this is you
staff-role-and-demands = Role and demands
staff-must = Must have a second factor
staff-changed = The account is changed.
staff-ways-in = Ways in
staff-password-set = Set
staff-password-not-set = Not set yet
staff-new-link = New link<span class="vh"> for setting a password</span>
staff-new-link-hint = A one-time link lets them set a password.
staff-remove-factor = Remove<span class="vh"> the second factor</span>
staff-remove-factor-hint = Remove it when the phone and all recovery codes are lost. That ends their sessions.
staff-factor-removed = The second factor is removed, and all sessions have ended.
staff-signs-in-with = Signs in with { $provider }
staff-remove-provider = Remove<span class="vh"> the sign-in with { $provider }</span>
staff-remove-provider-hint = As <code>{ $uid }</code> since { $since }, last { $used }. Removing it ends their sessions; whoever has the address there and is allowed may come anew.
staff-provider-removed = The account is no longer tied to anybody at { $provider }, and its sessions have ended.
staff-account = Account
staff-made = Made
staff-deactivate-sessions = All their sessions end at once, and they cannot sign in.
staff-deactivate-log = What they did stays in the audit log under their name.
staff-deactivate-undo = You can reactivate the account at any time.
staff-keep-active = Keep it active
staff-deactivated = The account is inactive, and its sessions have ended.
staff-reactivated = The account is active again.

invite-title = Invite somebody
invite-crumb = Invite
invite-hint = You get a link to hand over. It works once, for 24 hours.
invite-must = Must set up a second factor
invite-name = Write a name, at most 80 characters.
invite-role = Choose a role.
invite-submit = Make the link
link-title = One-time link
link-for = One-time link for { $name }
link-hint = Hand it over yourself: whoever opens it first sets the password. It works once, for 24 hours, and is shown only now.
link-label = Link
link-done = Done
## Words: what was done

action-signed-up = Signed up
action-signed-in = Signed in
action-associated = Associated a social account
action-refused = Was refused
action-session-refreshed = Refreshed a session
action-refresh-token-reused = Used a spent refresh token
action-link-ticket-issued = Got a link ticket
action-leftovers-cleared = Cleared unverified leftovers
action-user-viewed = Looked at a user
action-unlinked = Unlinked a social account
action-unlink-undone = Undid an unlink
action-token-revoked = Revoked an access token
action-association-ticket-issued = Issued an association ticket
action-association-ticket-redeemed = Redeemed an association ticket
action-associated-in-advance = Associated a social account in advance
action-deactivated = Deactivated a user
action-reactivated = Reactivated a user
action-session-revoked = Ended a session
action-sessions-revoked = Ended all sessions
action-token-checked = Checked an access token
action-list-exported = Exported a list
action-provider-tested = Tested a provider
action-webhook-tested = Sent a test to a webhook
action-webhook-resent = Sent a delivery again
action-staff-signed-in = Signed in as staff
action-staff-sign-in-refused = Was refused as staff
action-staff-signed-out = Signed out as staff
action-staff-stepped-up = Proved who they are
action-staff-invited = Invited a colleague
action-staff-changed = Changed a staff account
action-staff-deactivated = Deactivated a staff account
action-password-set = Set a password
action-second-factor-set = Set up a second factor
action-second-factor-removed = Removed a second factor
action-recovery-code-used = Used a recovery code
action-api-client-created = Created an API client
action-api-client-deactivated = Deactivated an API client
action-client-token-issued = Got an access token for the API
action-client-token-refused = Was refused as an API client

## Words: why

reason-invalid-token = Not a valid proof
reason-expired-token = Expired or revoked
reason-wrong-audience = Access token of another app
reason-unbound-token = Not proven to be ours
reason-nonce-mismatch = Nonce does not match
reason-nonce-spent = Nonce was used before
reason-social-auth-failed = Refused by the provider
reason-already-in-use = In use by another user
reason-not-signed-up = Nobody has signed up with it
reason-already-signed-up = Has signed up before
reason-inactive-user = User is inactive
reason-account-refused = Staff refuse this account
reason-sign-ups-closed = Sign-ups are closed
reason-email-not-allowed = Address is not allowed
reason-email-in-use = Address belongs to another user
reason-link-ticket-invalid = Link ticket is not valid
reason-invalid-bearer = Session had ended
reason-link-ticket = By link ticket
reason-wrong-secret = Secret is wrong
reason-inactive-client = API client is inactive
reason-no-scope = API client may do nothing by itself
reason-invalid-scope = Scope was never granted
reason-wrong-domain = Address of another domain
reason-unverified-email = Address is not verified
reason-not-allowed = Not on the list of people
reason-no-account = Has no staff account
reason-other-uid = Account is somebody else's there
reason-another-person = Somebody else than who is signed in
reason-code-needed = A code is needed
reason-stale-sign-in = Was not asked to sign in anew
reason-session-ended = Staff session had ended
reason-unknown-state = Another browser, or used before
reason-expired-state = Took longer than 10 minutes
reason-missing-code = Came back without a code
reason-wrong-issuer = Answer of another issuer
reason-refused-by-provider = Provider gave no code
reason-unknown = No such staff account
reason-inactive = Staff account is inactive
reason-wrong-password = Wrong password
reason-wrong-factor = Wrong code or password

## Words: who acted

actor-api-client = { $title } (API client)
actor-api-client-by-id = API client { $id }
actor-staff-by-id = Staff { $id }
actor-user-by-id = User { $id }
actor-the-user = The user
actor-service = The service
actor-anonymous = Not signed in
actor-somebody = Somebody

## Words: what failed

outage-accepted = Accepted
outage-refused = Refused
outage-timeout = Provider timed out
outage-connect = Provider not reached
outage-redirect = Provider redirected
outage-too-large = Answer too large
outage-status = Provider answered with an error
outage-malformed = Answer could not be used
outage-circuit-open = Not asked, provider was failing
outage-overloaded = Not asked, too many at once
# What checks did, after “61 of 70 checks in the last hour”.
outage-happened-timeout = timed out
outage-happened-connect = did not reach it
outage-happened-redirect = were redirected
outage-happened-too-large = got too large an answer
outage-happened-status = were answered with an error
outage-happened-malformed = got an answer that could not be used
outage-happened-otherwise = failed

outcome-begun = Begun
outcome-page = One page
outcome-complete = Complete
outcome-broken-off = Broken off
outcome-revoked = Revoked
outcome-another-persons = Access token of another person
outcome-not-askable = Cannot be checked

webhook-problem-timeout = No answer in time
webhook-problem-connect = Not reached
webhook-problem-redirect = Redirected
webhook-problem-malformed = Answer could not be used
webhook-problem-missing = Audit entry is gone
webhook-problem-gone = Wants no more (410)
webhook-problem-status = Answered { $status }

## Words: proofs

audience-id-token = Signed id token: its audience is one of our client ids
audience-debug-token = The provider's debug endpoint names the app of a token
audience-tokeninfo = A token information endpoint names the app of a token
audience-introspection = Introspection (RFC 7662) with our credentials
audience-app-check = An endpoint that answers for our own app's tokens alone
audience-oauth1-signature = Requests are signed with our consumer secret (OAuth 1.0a)
audience-secret-proof = Requests carry a proof made with our client secret
audience-none = None: another app's token cannot be told from ours
# Kinds of proofs within a sentence, and as labels.
proof-access-token = access token
proof-token-pair = token pair
proof-id-token = id token
proof-code = code
proof-access-token-label = Access token
proof-token-pair-label = Token pair
proof-id-token-label = Id token
proof-code-label = Code

## Words: numbers

number-percent = { $share } %
number-milliseconds = { $count } ms
number-seconds = { $seconds } s

## Providers

providers-none-heading = No provider is set up
providers-none = Put a table [providers.ID] with the client id from the provider's console into the configuration, and start again. The catalogue below says what each of them needs.
providers-on = On
providers-off = Off
providers-caption = Providers that are on, those that fail first
providers-state = State
providers-last-success-failure = Last success, last failure
providers-latency = p50 / p95
providers-failed = Failed 1 h / 24 h
providers-only-way = Only way in for
providers-only-way-for = only way in for { $count }
providers-audience-proof = Audience proof
providers-no-success = No success yet
providers-last-success = Last success
providers-outage-at = { $what }, { $at }
providers-both = { $one } / { $other }
providers-p95 = p95 { $duration }
providers-unbound = accepts unbound tokens
providers-switched-off = Switched off
providers-not-set-up = Not set up
providers-set-up = Set up
providers-missing = Missing:
providers-is-missing = { $key } is missing
providers-removed = Removed
providers-removed-hint = Their social accounts are still here and stay as they are. Nobody signs in with them until the provider is put back.
providers-accounts = Social accounts: { $count }
providers-catalogue = In the catalogue
providers-catalogue-hint = Not configured. Each page says what is missing. Any OpenID Connect issuer works without an entry, by its <code>issuer</code>.
providers-quiet = Quiet
providers-healthy = Healthy
providers-unsteady = Unsteady
providers-failing = Failing

provider-is-failing = { $provider } is failing: { $outages } of { $checks } checks in the last hour { $happened }
provider-test = Test
provider-test-result = Test
provider-removed = Removed from the configuration
provider-removed-hint = There is no table <code>[providers.{ $id }]</code>, but social accounts of it are still here. Nobody signs in with them.
provider-removed-again = To let these users in again
provider-removed-again-hint = Put the table back and start again.
provider-removed-off = To keep it switched off
provider-removed-off-hint = Put the table back with <code>enabled = false</code>.
provider-removed-for-good = To do without it for good
provider-removed-for-good-hint = Name it in <code>removed_providers</code>. In production the service does not start without it otherwise, as long as users have no other way in.
provider-how-it-does = How it does
provider-never = never
provider-last-failure = Last failure
provider-no-failure = none
provider-half-within = Half of the checks within
provider-most-within = 95 of 100 within
provider-failed-hour = Failed, last hour
provider-failed-day = Failed, last 24 hours
provider-share-of-checks = { $share } of { $checks } checks
provider-no-checks = no checks
provider-circuit = Circuit breaker
provider-circuit-open = Open: left alone for some seconds at a time
provider-circuit-closed = Closed: it is asked
provider-client-ids = Client ids
provider-client-ids-table = Table of client ids
provider-client-id = Client id
provider-platform = Platform
provider-any-platform = any
provider-secret = Secret
provider-secret-set = set, { $count } characters
provider-secret-none = none
provider-try = Try a token
provider-try-hint = Paste a token that your app got from { $provider }. The answer says whether it is yours. It is neither stored nor logged, and nobody is signed in.
provider-kind = Kind
provider-token = Token
provider-token-secret = Token secret
provider-token-secret-hint = Of a token pair (OAuth 1.0a) only.
provider-try-it = Try it
provider-id = Id
provider-also-called = Also called
provider-takes = Takes
provider-takes-nothing = nothing as it is set up
provider-accepted = Accepted by the operator
provider-accepted-hint = Access tokens of any other app are accepted.
provider-setting-up = Setting up
provider-documentation = { $provider }’s documentation
provider-what-is-missing = What is missing
provider-missing-table = Table of what is missing
provider-missing-hint = Put these into the table <code>[providers.{ $id }]</code> of the configuration and start again. docs/PROVIDERS.md has the details.
provider-switch-on = Its settings are complete. Remove <code>providers.{ $id }.enabled = false</code> and start again to switch it on.
provider-setting = Setting
provider-problem = Problem
provider-what-to-do = What to do

verdict-not-stored = The token was neither stored nor logged.
verdict-ours-heading = Ours
verdict-ours = Issued to { $client_id }, for the account { $uid }.
verdict-ours-untold = For the account { $uid }. Which of our client ids it was issued to is not told.
verdict-not-ours-heading = Not ours
verdict-not-ours = It was issued to another app. Compare the client id that your app uses with those above.
verdict-unproven-heading = Not proven to be ours
verdict-unproven = Nothing proves to which app it was issued. Hand in a code or an id token, or accept that with providers.{ $id }.allow_unbound_tokens.
verdict-expired-heading = Expired
verdict-expired = It was good once. Ask for a new one.
verdict-not-valid-heading = Not valid
verdict-not-valid = { $provider } does not know it, or it is damaged.
verdict-not-reached-heading = Cannot be told
verdict-not-reached = { $provider } could not be asked just now.
verdict-not-taken-heading = Not taken here
verdict-not-taken = A token of this kind is not taken from this provider as it is set up.

trial-host = Reach { $host }
trial-keys = Read the keys of id tokens
trial-credentials = Client id and secret of { $client_id }
trial-usable = { $count } usable
trial-accepted = Accepted
trial-works = Works
trial-refused = Refused: check the client secret
trial-unclear = Cannot be told without a code of a real sign-in
trial-timeout = Timeout
trial-connect = Connection failed
trial-redirect = Redirect
trial-too-large = Answer too large
trial-status = Status { $code }
trial-malformed = Malformed answer: { $what }
trial-circuit-open = Circuit open
trial-overloaded = Overloaded

dependants-title = Who depends on it
dependants-users = Users with no other way in
dependants-at-least = at least { $count }
dependants-more-than = more than { $count }
dependants-who-have-it = Users who have it
dependants-last-7-days = Signed up in the last 7 days
dependants-all = All
dependants-putting-back = Putting it back
dependants-gives-a-way = Gives these users one more way in. Social accounts stay as they are.
dependants-lets-in = Lets these users in again. Social accounts stay as they are.
dependants-switching-off = Switching it off
dependants-locks-nobody = Locks nobody out. Social accounts stay as they are.
dependants-locks-out = Locks these users out until it is on again. Social accounts stay as they are.
dependants-one-removed = { $provider } was removed from the configuration
dependants-several-removed = { $providers } and { $last } were removed from the configuration
dependants-of = { $provider } { $count }
dependants-locked-out = Users who have no other way in: { $counts }. Their social accounts stay as they are.

## Webhooks

webhooks-who-is-told = Who is told
webhooks-nobody-heading = Nobody is told
webhooks-nobody = Put a table [webhooks.NAME] with url and secret into the configuration, and start again. From then on your application is told of sign-ups, unlinks and the like, signed and tried again until it answers.
webhooks-all-events = all events
webhooks-not-reached = Not reached, { $count } waiting
webhooks-has-everything = Has everything
webhooks-waiting = { $count } waiting
webhooks-given-up = { $count } given up
webhooks-send-test = Send a test<span class="vh"> to { $name }</span>
webhooks-tested = A test is on its way to { $name }. It shows below in some seconds.
webhooks-deliveries = Deliveries
webhooks-all-deliveries = All deliveries
webhooks-not-delivered = Not delivered
webhooks-all-arrived-heading = Everything has arrived
webhooks-all-arrived = No delivery waits, and none was given up.
webhooks-show-all = Show all deliveries
webhooks-nothing-heading = Nothing yet
webhooks-nothing = What webhooks are told shows here: for 3 days when it has arrived, for 30 when it has not.
webhooks-caption = The last deliveries, newest first
webhooks-event = Event
webhooks-webhook = Webhook
webhooks-queued = Queued
webhooks-send-again = Send again<span class="vh">: { $event } to { $webhook }</span>
webhooks-resent = { $event } is sent to { $webhook } again.
webhooks-not-given-up = That delivery has arrived, is still being tried, or is kept no more. Nothing was done.
webhooks-show-deliveries = Show the deliveries
delivery-delivered = Delivered
delivery-given-up = Given up
delivery-tried-again = Tried again
delivery-waiting = Waiting
delivery-problem =
    { $tries ->
        [1] { $problem }, 1 try
       *[other] { $problem }, { $tries } tries
    }
delivery-next = next { $time }

## Health

health-as-json = As JSON
health-version = Version
health-instance = Instance { $instance }, started { $time }.
health-not-known = Not known
health-behind = Behind
health-database = Database
health-answers = Answers
health-does-not-answer = Does not answer
health-database-silent = { $backend }. Sign-ups and sign-ins are refused until it does.
health-migrations = Migrations
health-all-applied = All applied
health-migrations-missing = Missing: { $migrations }. Run latchkey migrate.
health-disk = Disk
health-not-ours = Not ours
health-disk-of-server = The database server has it.
health-disk-used = The database takes { $size }.
health-disk-free = { $size } free
health-upkeep = Upkeep
health-up-to-date = Up to date
health-upkeep-done = Lists, search and charts have everything.
health-upkeep-waiting = { $count } audit entries wait for the roll-up; pages count them all the same. The oldest was written { $time }.
health-upkeep-waiting-more = more than { $count } audit entries wait for the roll-up; pages count them all the same. The oldest was written { $time }.
health-keys = Keys
health-keys-unknown = Age not known
health-keys-changed = The key file was last changed { $time }.
health-keys-old = Older than a year
health-keys-in-place = In place
health-none-failing = None is failing
health-failing =
    { $count ->
        [1] 1 is failing
       *[other] { $count } are failing
    }

number-size = { $size } { $unit }

## Overview

overview-period = Period
overview-no-such-period = There is no such period. Take 24h, 7d or 30d.
overview-day = 24 hours
overview-week = 7 days
overview-month = 30 days
overview-last-day = Last 24 hours
overview-last-week = Last 7 days
overview-last-month = Last 30 days
overview-on-the-day = on the 24 hours before
overview-on-the-week = on the 7 days before
overview-on-the-month = on the 30 days before
overview-sign-ups = Sign-ups
overview-sign-ins = Sign-ins
overview-failed = Failed
overview-inactive = { $count } inactive
overview-inactive-more = { $count }+ inactive
overview-none-before = none before
overview-as-many = as many as before
overview-as-before = as before
overview-more = ▲ { $percent } %
overview-fewer = ▼ { $percent } %
overview-points = points
overview-points-more = ▲ { $points }
overview-points-fewer = ▼ { $points }
overview-failures = Failures by provider and reason
overview-failures-table = Table of failures
overview-nothing-failed-day = Nothing failed in the last 24 hours.
overview-nothing-failed-week = Nothing failed in the last 7 days.
overview-nothing-failed-month = Nothing failed in the last 30 days.
overview-share = Share
overview-count = Count
overview-all-providers = All providers
overview-no-provider = No provider is set up.

chart-heading-hour = Sign-ups an hour, by provider
chart-heading-day = Sign-ups a day, by provider
chart-label = Sign-ups by provider, { $range }; the table below holds the same numbers
chart-hours = { $first } to { $last } UTC
chart-days = { $first_day } { $first_month } to { $last_day } { $last_month } { $year }
chart-sign-ups =
    { $count ->
        [1] { $when }: 1 sign-up
       *[other] { $when }: { $count } sign-ups
    }
chart-others = Others
chart-nobody = Nobody signed up in this period.
chart-show-table = Show the numbers as a table
chart-table-hour = Sign-ups by hour
chart-table-day = Sign-ups by day
chart-caption-hour = Sign-ups by hour and provider, { $range }
chart-caption-day = Sign-ups by day and provider, { $range }
chart-hour = Hour (UTC)
chart-day = Day (UTC)
chart-all = All

checklist-title = First steps
checklist-done = Done
checklist-start = Start the service
checklist-start-text = It runs, and its database ({ $backend }) is up to date.
checklist-start-link = See its health
checklist-sign-in = Sign in as staff
checklist-sign-in-text = You are signed in. Invite your colleagues, each with a role of their own.
checklist-sign-in-link = Staff accounts
checklist-provider = Set up a provider
checklist-provider-none = Put a client id from the provider's console into the configuration, and start again.
checklist-provider-some = { $providers } can be used.
checklist-prove = Prove that it works
checklist-prove-text = Open a provider and press Test. Paste an access token from your app to see whether it counts as yours.
checklist-prove-link = Test a provider
checklist-hand-in = Hand in the first access token
checklist-hand-in-text = Let your app send it to POST /social_sign_up/. The figures appear here with the first sign-up.
## A user

person-can-sign-in = { $name } can sign in again with every linked social account.
person-linked-at = linked { $time }
person-last-sign-in-at = last sign-in { $time }
person-revoke-sessions = Revoke sessions…
person-reactivate = Reactivate…
person-inactive-why = <strong>Inactive.</strong> { $by } deactivated this user { $time }: { $reason }
person-ways-in =
    { $count ->
        [0] No way to sign in
        [one] 1 way to sign in
       *[other] { $count } ways to sign in
    }
person-no-account = No social account is linked.
person-provider-off = Provider is off
person-token-refused = Refused by provider
person-token-of-another-app = Another app's access token
person-token-of-another-person = Another person's access token
person-token-expired = Access token expired
person-token-missing = No access token
person-token-expires =
    { $count ->
        [one] Access token expires in 1 day
       *[other] Access token expires in { $count } days
    }
person-unlink = Unlink<span class="vh"> { $provider } { $uid }</span>…
person-data = Provider data<span class="vh"> of { $provider } { $uid }</span>
person-data-sealed = Provider data of { $provider } { $uid }, secrets sealed
person-data-hint = Sealed values never reach this page.
# In place of values that are not shown.
person-data-too-deep = deeper than is shown
person-data-sealed-value = sealed, { $count } characters
person-data-hidden-text = hidden, { $count } characters
person-data-hidden = hidden
person-check = Check with { $provider }<span class="vh"> { $uid }</span>
person-checked-at = Checked { $time }: { $result }.
person-checked = Checked with { $provider }: { $result }.
person-checked-too-soon = This account was checked a moment ago. Check again in { $count } seconds.
# What a check said, after a colon.
person-check-works = the access token works
person-check-expired = the access token has expired
person-check-refused = the access token is refused
person-check-another-apps = the access token was issued to another app
person-check-another-persons = the access token belongs to another person
person-check-not-reached = the provider was not reached
person-check-impossible = the access token cannot be checked
person-unlinked = Unlinked
person-unlinked-scope = can be given back
person-unlinked-why = { $by } unlinked it { $time }: { $reason }
person-unlinked-until = Until it is given back, a sign-in with it makes a second user. The undo ends { $time }.
person-undo = Undo<span class="vh"> unlinking { $provider } { $uid }</span>
person-associate = Associate on next sign-in<span class="vh">, { $provider } { $uid }</span>…
person-order-refused = Refused until { $day }
person-order-associate = Goes to user { $user } at its next sign-in, until { $day }
person-order-why = { $by }: { $reason }
person-sessions = Sessions
person-revoke-all = Revoke all…
person-no-session = Signed in nowhere.
person-session-now = Now
person-revoke = Revoke<span class="vh"> { $device } session { $id }</span>…
person-session-with = Signed in with { $provider }
person-session-with-gone = Signed in with an account that is gone
person-all-activity = All activity
person-request = request <span class="mono">{ $id }</span>
person-profile = Profile
person-user-id = User id
person-username = Username
person-email-verified = Verified
person-email-not-verified = Not verified
person-no-email = None
# What happened to a user.
person-did-sign-up = Signed up with { $provider }
person-did-sign-in = Signed in with { $provider }
person-did-link = Linked { $provider }
person-was-refused = Refused with { $provider }: { $reason }
person-session-refreshed = Session refreshed
person-refresh-token-reused = A spent refresh token came back; the session was ended
person-link-ticket-issued = Asked whether to link { $provider }, by email address
person-leftovers-cleared = Unverified accounts and sessions cleared before a link by email address
person-viewed = { $actor } looked at this page
person-viewed-times = { $actor } looked at this page { $count } times
person-was-unlinked = Unlinked { $provider }
person-unlink-undone = Gave { $provider } back
person-token-revoked = { $provider } revoked the access token
person-token-not-revoked = { $provider } did not revoke the access token
person-token-revocation-not-reached = { $provider } was not reached to revoke the access token
person-association-ticket-issued = The next sign-in with { $provider } will link it here
person-association-ticket-redeemed = Linked { $provider } by a ticket
person-associated-in-advance = Linked { $provider } before the first sign-in with it
person-deactivated = Deactivated
person-reactivated = Reactivated
person-session-revoked = One session ended
person-sessions-revoked = All sessions ended
person-token-checked = { $provider }: { $result }
# What is wrong with a form, or has changed meanwhile.
person-reason-too-short = Give a reason of at least 3 characters
person-reason-too-long = Give a reason of at most 200 characters
person-show-now = Show the user as they are now
person-conflict-account-gone = The user has no such social account any more. Nothing was done.
person-conflict-stale = The social account was used since the page was shown. Nothing was done: look again and decide again.
person-conflict-last-way-in = It has become the only way to sign in since the page was shown. Nothing was done: look again and decide again.
person-conflict-not-kept = The time for that is over: the unlinked account is not kept any more. Nothing was done.
person-conflict-taken = Somebody signed in with that social account since, and it belongs to their user now. Nothing was done.
person-conflict-inactive = That user is inactive. Nothing was done.

## Unlinking a social account

unlink-short = Unlink
unlink-title = Unlink { $provider } from { $name }
unlink-question = Unlink { $provider } from { $name }?
unlink-only-way-in = This is { $name }’s only way to sign in
unlink-only-way-in-hint = After unlinking, { $name } cannot sign in. A new { $provider } sign-in would create a second, empty account.
unlink-token-revoked = The stored access token is erased and, where { $provider } allows it, revoked.
unlink-token-erased = The stored access token is erased. { $provider } is not asked to revoke it.
unlink-sessions =
    { $count ->
        [0] No session was started with { $provider }, so none ends.
        [one] 1 session started with { $provider } ends at once.
       *[other] { $count } sessions started with { $provider } end at once.
    }
unlink-undo-days = You can undo it for { $count } days. The access token comes back at the next sign-in.
unlink-no-undo = It cannot be undone.
unlink-webhooks = The event <code>social_account.unlinked</code> goes to { $webhooks }.
unlink-sure = I understand that { $name } will have no way to sign in
unlink-sure-missing = Confirm that no way to sign in will be left
unlink-refuse = Refuse this { $provider } account if it tries to sign up or link again, until { $day }
unlink-button = Unlink { $provider }
unlink-keep = Keep it linked
unlink-undo = Undo
unlink-repeated = { $provider } had been unlinked before. Nothing was done now.
unlink-done-revoked =
    { $count ->
        [0] Unlinked { $provider }. { $provider } revoked the access token.
        [one] Unlinked { $provider }. Ended 1 session. { $provider } revoked the access token.
       *[other] Unlinked { $provider }. Ended { $count } sessions. { $provider } revoked the access token.
    }
unlink-done-not-revoked =
    { $count ->
        [0] Unlinked { $provider }. { $provider } did not revoke the access token; it may have ended already.
        [one] Unlinked { $provider }. Ended 1 session. { $provider } did not revoke the access token; it may have ended already.
       *[other] Unlinked { $provider }. Ended { $count } sessions. { $provider } did not revoke the access token; it may have ended already.
    }
unlink-done-not-reached =
    { $count ->
        [0] Unlinked { $provider }. { $provider } was not reached, so the access token may live on there.
        [one] Unlinked { $provider }. Ended 1 session. { $provider } was not reached, so the access token may live on there.
       *[other] Unlinked { $provider }. Ended { $count } sessions. { $provider } was not reached, so the access token may live on there.
    }
unlink-done =
    { $count ->
        [0] Unlinked { $provider }.
        [one] Unlinked { $provider }. Ended 1 session.
       *[other] Unlinked { $provider }. Ended { $count } sessions.
    }
unlink-undone = { $provider } is linked again. Its access token comes back at the next sign-in.
unlink-undone-before = { $provider } had been given back before. Nothing was done now.

## Deactivating a user, and the way back

activation-deactivate-open = Deactivate…
activation-deactivate-short = Deactivate
activation-reactivate-short = Reactivate
activation-deactivate = Deactivate { $name }
activation-reactivate = Reactivate { $name }
activation-deactivate-question = Deactivate { $name }?
activation-reactivate-question = Reactivate { $name }?
activation-sessions =
    { $count ->
        [0] There is no session to end.
        [one] 1 session ends at once.
       *[other] { $count } sessions end at once.
    }
activation-cannot-sign-in = { $name } cannot sign in. The app is not told why: it hears “Error with social authentication”.
activation-stays = Everything stays as it is, and you can reactivate at any time.
activation-sessions-stay-ended = Sessions that have ended stay ended.
activation-keep-active = Keep active
activation-keep-inactive = Keep inactive
activation-deactivated =
    { $count ->
        [one] Deactivated. Ended 1 session.
       *[other] Deactivated. Ended { $count } sessions.
    }
activation-deactivated-before = The user had been inactive before. Nothing was done now.
activation-reactivated = Reactivated. The user can sign in again; ended sessions stay ended.
activation-reactivated-before = The user had been active before. Nothing was done now.

## Ending sessions of a user

sessions-revoke = Revoke
sessions-end-all = End all sessions of { $name }
sessions-end-all-question = End all sessions of { $name }?
sessions-end-all-button = End all sessions
sessions-end-one = End a session of { $name }
sessions-end-one-question = End this session of { $name }?
sessions-end-one-button = End the session
sessions-signed-out =
    { $count ->
        [one] { $name } is signed out everywhere: 1 session.
       *[other] { $name } is signed out everywhere: { $count } sessions.
    }
sessions-others-go-on = The session ends at once; the others go on.
sessions-keep-all = Keep them
sessions-keep-one = Keep it
sessions-ended =
    { $count ->
        [0] There was no session left to end.
        [one] Ended 1 session.
       *[other] Ended { $count } sessions.
    }
sessions-ended-one = Ended the session.
sessions-ended-before = The session had ended before. Nothing was done now.

## Associating an account on its next sign-in

ticket-associate = Associate on next sign-in
ticket-title = Associate { $provider } on next sign-in
ticket-question = Associate { $provider } on its next sign-in?
ticket-was = was { $name }’s
ticket-next-sign-in = Whoever signs in with this { $provider } account next signs in as the user below, and the account is linked to that user.
ticket-works-once = It works once, within { $count } days. A refusal of the account ends.
ticket-user-hint = The same user, or another one if the person has two.
ticket-user-unreadable = Give the number of a user
ticket-user-unknown = There is no user with this number
ticket-user-inactive = That user is inactive
ticket-issued = The next sign-in with { $provider } { $uid } will link it to user { $user }, until { $day }.

## The audit log

activity-log = Audit log
activity-caption = Audit log, newest first
activity-export-hint = The entries you filter for, as a stream. Written to the audit log.
activity-entries =
    { $count ->
        [one] 1 entry
       *[other] { $count } entries
    }
activity-no-match-hint = No entry of the audit log fits these filters.
activity-empty = Nothing yet
activity-empty-hint = Every hand-in and everything that staff do is written here, as it happens.
activity-what = What
activity-who = Who
activity-whom = Whom
activity-why = Why
activity-when = When
activity-any = Any
# A filter and what is chosen.
activity-chosen = { $filter }: { $value }
activity-all-staff = All staff
activity-api-clients = API clients
activity-users = Users themselves
activity-nobody-known = Nobody known
activity-first-day = First day (UTC)
activity-last-day = Last day (UTC)
activity-since = Since { $from }
activity-until = Until { $to }
activity-from-to = { $from } to { $to }
activity-unreadable-entry = { $name } cannot be read. It should be the id of an entry.
activity-unreadable-user = { $name } cannot be read. It should be the id of a user.
activity-unreadable-provider = { $name } cannot be read. It should be one provider.
activity-unreadable-actor-id = { $name } cannot be read. It should be staff:3.
activity-unreadable-actor = { $name } cannot be read. It should be staff, staff:3, user or another kind.
activity-unreadable-day = { $name } cannot be read. It should be a day such as 2026-11-23.
activity-older-or-newer = A page is either older or newer than an entry, not both.
activity-entry-title = Audit entry
activity-entry = Entry { $id }
activity-uid = Provider’s uid
activity-address = Address
activity-address-not-known = not known
activity-request = Request
activity-action = Action
activity-before-and-after = Before and after
activity-before-and-after-table = Table of values before and after
activity-before = Before
activity-after = After
activity-detail = Detail

## Devices

device-unknown = Unknown device
device-browser-on = { $browser } on { $system }
