# Was Mitarbeiter lesen, auf Deutsch. Dieselben Einträge in derselben Reihenfolge wie in en.ftl.

## Was jede Seite hat

layout-title-error = Fehler:
layout-skip = Zum Inhalt springen
layout-brand = Latchkey, Übersicht
layout-search = Benutzer nach E-Mail-Adresse, Benutzername, Benutzer-ID oder Uid suchen
layout-search-hint = E-Mail, Benutzername, ID oder Uid
layout-your-account = Ihr Konto, { $name },
layout-role =
    { $role ->
        [staff] Rolle: Mitarbeiter
        [admin] Rolle: Admin
       *[superuser] Rolle: Superuser
    }
layout-times-shown = Zeiten in { $zone }
layout-sign-out = Abmelden
layout-menu = Hauptmenü
layout-attention = <span class="vh">(</span>{ $count }<span class="vh"> brauchen Aufmerksamkeit)</span>
layout-breadcrumb = Pfad
layout-foot = Zeiten in { $zone } · der genaue Zeitpunkt erscheint beim Zeigen auf eine Zeit · Version { $version }
layout-foot-keys = <kbd>?</kbd> zeigt die Tasten
# Was eine Schaltfläche zum Kopieren sagt: vorher, nachher, und wenn es nicht ging.
layout-copy-words = Kopieren,Kopiert,Nicht kopiert

nav-overview = Übersicht
nav-users = Benutzer
nav-accounts = Konten
nav-activity = Aktivität
nav-providers = Anbieter
# Bricht in der schmalen Leiste um.
nav-settings = Einstel{"\u00AD"}lungen

role-staff = Mitarbeiter
role-admin = Admin
role-superuser = Superuser

# Was kopiert wird, nach „Kopieren“.
copy-uid = Uid
copy-user-id = Benutzer-ID
copy-request-id = Anfrage-ID

ui-form-errors = Das hat nicht geklappt
ui-pages = Seiten
ui-back = Zurück
ui-next = Weiter
ui-continue-with = Weiter mit { $provider }
ui-alert-since = Seit { $time }. Registrierungen mit anderen Anbietern sind nicht betroffen.
ui-alert-link = Zum Anbieter
ui-removed-link = Was zu tun ist

reason-label = Grund
reason-hint = Eine Ticketnummer oder ein Satz. Steht im Audit-Log; der Benutzer sieht es nie.

keys-title = Tasten
keys-search = Suchen
keys-rows = Nächste und vorige Zeile einer Liste
keys-enter = Eingabe
keys-open = Die Zeile öffnen
keys-pages = Nächste und vorige Seite einer Liste
keys-escape = Esc
keys-close = Schließen, was offen ist
keys-help = Diese Hilfe
keys-hint = Beim Tippen tun sie nichts, und in den <a href="/admin/preferences">Vorlieben</a> lassen sie sich abschalten.
keys-close-help = Schließen

## Zeiten

time-exact = { $date }, { $time } { $zone }
time-date = { $day }. { $month } { $year }
time-day = { $day }. { $month }
time-day-clock = { $day }, { $time }
time-just-now = gerade eben
time-minutes-ago = vor { $count } Min.
time-hours-ago = vor { $count } Std.
time-yesterday = gestern
time-days-ago = vor { $count } Tagen
time-in-a-moment = gleich
time-in-minutes = in { $count } Min.
time-in-hours = in { $count } Std.
time-tomorrow = morgen
time-in-days = in { $count } Tagen

month-jan = Jan.
month-feb = Feb.
month-mar = März
month-apr = Apr.
month-may = Mai
month-jun = Juni
month-jul = Juli
month-aug = Aug.
month-sep = Sep.
month-oct = Okt.
month-nov = Nov.
month-dec = Dez.
month-january = Januar
month-february = Februar
month-march = März
month-april = April
month-may-whole = Mai
month-june = Juni
month-july = Juli
month-august = August
month-september = September
month-october = Oktober
month-november = November
month-december = Dezember

## Listen

list-views = Gespeicherte Ansichten
list-filters = Filter
list-apply = Anwenden
list-remove-filter = Diesen Filter entfernen
list-clear-filters = Filter entfernen
list-export = Export
list-export-hint = Die Ansicht, die Sie sehen, als Datei. Steht im Audit-Log.
# Vor den Spaltenüberschriften, wo Zeilen Karten sind.
list-sort-by = Sortieren nach
list-rows = Zeilen
list-export-csv = Mit Kommas getrennt (CSV)
list-export-ndjson = Ein JSON-Objekt je Zeile (NDJSON)
list-in-all = { $count } insgesamt
list-shown = { $shown } zu sehen
list-shown-of = { $shown } von { $all }
list-shown-of-more = { $shown } von mehr als { $all }
list-view-new-today = Neu heute
list-view-token-expired = Access-Token abgelaufen
list-user = Benutzer
list-status = Status
list-social-accounts = Social-Accounts
list-access-token = Access-Token
list-last-sign-in = Letzte Anmeldung
list-signed-up = Registriert
list-associated = Verknüpft
# Vor einer Zeit, über der keine Spaltenüberschrift steht.
list-seen = Gesehen
list-never = Nie
list-of-things = { $before }, { $next }
list-nothing-matches = Nichts gefunden
list-look-at-providers = Zu den Anbietern
list-foreign-cursor = Die verlangte Seite gehört zu einer anderen Reihenfolge oder einem anderen Filter. Das hier ist die erste Seite.
list-behind = Suche und Filter holen gerade viele Änderungen nach. Die neuesten können noch kurz fehlen.

status-active = Aktiv
status-inactive = Inaktiv
status-invited = Eingeladen

token-none = Keiner
token-lasts = Läuft nicht ab
token-expired = Abgelaufen
token-valid = Gültig

filter-today = heute
filter-signed-up-today = Registriert: heute
filter-signed-up-since = Registriert: seit { $from }
filter-signed-up-until = Registriert: bis { $to }
filter-signed-up-between = Registriert: { $from } bis { $to }
filter-associated-today = Verknüpft: heute
filter-associated-since = Verknüpft: seit { $from }
filter-associated-until = Verknüpft: bis { $to }
filter-associated-between = Verknüpft: { $from } bis { $to }
filter-seen-before = Letzte Anmeldung: vor dem { $day }
filter-from = Von
filter-to = Bis
filter-before = Vor
filter-provider = Anbieter
filter-providers = Anbieter: { $providers }
filter-any = Jeder
filter-any-number = Beliebig viele
filter-any-state = Jeder Zustand
filter-none = Keine
filter-exactly-one = Genau einer
filter-two-or-more = Zwei oder mehr
filter-accounts-none = Social-Accounts: keine
filter-accounts-one = Social-Accounts: genau einer
filter-accounts-more = Social-Accounts: zwei oder mehr
filter-status-active = Status: aktiv
filter-status-inactive = Status: inaktiv
filter-token-expired = Access-Token: abgelaufen

query-unknown = Diese Adresse kennt den Parameter { $unknown } nicht. Sie kennt { $known }.
query-unknown-of-none = Diese Adresse kennt den Parameter { $unknown } nicht. Sie kennt keinen.
query-twice = Der Parameter { $name } kommt zweimal vor.
query-not-one-of = Der Parameter { $name } ist { $values }.
query-or = { $first } oder { $next }
query-too-short = Der Parameter { $name } ist zu kurz für eine Suche.
query-not-rows = Der Parameter { $name } ist eine Zahl von 1 bis 100.
query-foreign-cursor = Der Parameter { $name } gehört zu einer anderen Liste, Reihenfolge oder einem anderen Filter.
query-not-a-provider = Der Parameter { $name } ist die ID eines Anbieters, etwa google.
query-not-a-day = Der Parameter { $name } ist ein Datum wie 2026-11-23, oder today.

users-view-all = Alle Benutzer
users-view-several = Mehrere Konten
users-view-none = Kein Konto
users-no-email = Keine E-Mail
users-never-seen = Nie gesehen
users-latest-sign-up = Benutzer, neueste Registrierung zuerst
users-earliest-sign-up = Benutzer, älteste Registrierung zuerst
users-latest-sign-in = Benutzer, neueste Anmeldung zuerst
users-earliest-sign-in = Benutzer, älteste Anmeldung zuerst
users-names-from-a = Benutzer, Benutzernamen von A an
users-names-from-z = Benutzer, Benutzernamen von Z an
users-addresses-from-a = Benutzer, Adressen von A an
users-addresses-from-z = Benutzer, Adressen von Z an
users-opened = Der einzige Treffer ist geöffnet.
users-opened-list = Als Liste zeigen
users-looks-like-token = Das sieht wie ein Access-Token aus. Danach wurde nicht gesucht, und protokolliert wurde es nicht.
users-nobody-heading = Noch niemand hat sich registriert
users-nobody = Der erste Benutzer entsteht, wenn eine App einen Nachweis von einem Anbieter einreicht. Unter „Anbieter“ steht, welche eingerichtet sind.
users-too-short = Geben Sie mindestens { $count } Zeichen ein, oder die ganze ID, E-Mail-Adresse, Uid oder den ganzen Benutzernamen.
users-not-found = Kein Benutzer hat „{ $typed }“ als ID oder Uid, oder in Benutzername, E-Mail-Adresse oder Name.
users-no-fit = Kein Benutzer passt zu allen Filtern oben.

accounts-view-all = Alle Konten
accounts-view-several = Von Benutzern mit mehreren
accounts-view-inactive = Von inaktiven Benutzern
accounts-provider-and-uid = Anbieter und Uid
accounts-last-used = Zuletzt benutzt
# Vor einer Zeit, über der keine Spaltenüberschrift steht.
accounts-used = Benutzt
accounts-latest-first = Social-Accounts, neueste Verknüpfung zuerst
accounts-earliest-first = Social-Accounts, älteste Verknüpfung zuerst
accounts-no-fit = Kein Social-Account passt zu allen Filtern oben.
accounts-none-heading = Noch keine Social-Accounts
accounts-none = Der erste wird verknüpft, wenn sich jemand registriert. Unter „Anbieter“ steht, welche eingerichtet sind.

## Vorlieben

preferences-title = Vorlieben
preferences-scope = Dieses Browsers
preferences-appearance = Aussehen
preferences-theme-system = System
preferences-theme-light = Hell
preferences-theme-dark = Dunkel
preferences-language = Sprache
preferences-zone = Zeitzone
preferences-zone-now = Dort ist es jetzt { $now }.
preferences-rows = Zeilen je Seite
preferences-keys = Tastenkürzel
preferences-keys-on = An
preferences-keys-off = Aus
preferences-keys-hint = Einzelne Zeichen, etwa / für die Suche. Beim Tippen tun sie nichts.

## Fehler

error-status = Status { $status }
error-request = Anfrage
error-sign-in-refused-heading = Dieses Konto darf sich hier nicht anmelden
error-sign-in-refused = Fragen Sie einen Superuser, ob es das sollte. Wenn die Anmeldung länger als 10 Minuten gedauert oder in einem anderen Browser begonnen hat, beginnen Sie sie neu.
error-step-up-refused-heading = Das hat nicht bestätigt, dass Sie es sind
error-step-up-refused = Es braucht das Konto, mit dem Sie sich hier anmelden, und einen Anbieter, der das Passwort neu verlangt. Tut Ihrer das nicht, melden Sie sich ab und wieder an, und richten Sie binnen 10 Minuten einen zweiten Faktor ein: Dessen Code bestätigt, wer Sie sind.
error-sign-in-not-completed-heading = Die Anmeldung wurde nicht abgeschlossen
error-sign-in-not-completed = Der Anbieter hat Sie zurückgeschickt, ohne uns zu sagen, wer Sie sind. Nichts wurde geändert. Versuchen Sie es noch einmal, oder melden Sie sich anders an.
error-provider-unavailable-heading = Der Anbieter ist gerade nicht erreichbar
error-provider-unavailable = Versuchen Sie es gleich noch einmal, oder melden Sie sich mit E-Mail-Adresse und Passwort an.
error-invalid-request-heading = Diese Anfrage passt nicht
error-sign-in-needed-heading = Sie sind abgemeldet
error-sign-in-needed = Ihre Sitzung ist beendet, deshalb wurde nichts geändert. Melden Sie sich an, und schicken Sie das Formular noch einmal ab.
error-factor-needed-heading = Weisen Sie sich zuerst aus
error-factor-needed = Dafür braucht es einen Nachweis, wer Sie sind.
error-form-refused-heading = Dieses Formular wurde nicht angenommen
error-form-refused = Es war zu lange offen, oder es kommt nicht von diesem Dienst. Nichts wurde geändert. Öffnen Sie die Seite noch einmal, und schicken Sie es von dort ab.
error-forbidden-heading = Ihre Rolle erlaubt das nicht
error-not-found-heading = Hier ist nichts
error-not-found = Die Adresse ist vielleicht vertippt, oder was hier war, wurde entfernt.
error-method-not-allowed-heading = Das geht hier nicht
error-method-not-allowed = Diese Adresse nimmt solche Anfragen nicht an.
error-conflict-heading = Inzwischen hat sich etwas geändert
error-body-too-large-heading = Das ist zu viel auf einmal
error-body-too-large = Das Formular ist größer als 64 KiB. Nichts wurde geändert.
error-body-too-slow-heading = Das Formular kam nicht rechtzeitig an
error-body-too-slow = Nichts wurde geändert. Schicken Sie es noch einmal ab.
error-too-many-tries-heading = Zu viele Versuche
error-unavailable-heading = Latchkey ist gerade nicht verfügbar
error-unavailable = Die Datenbank antwortet nicht, oder es ist zu viel zu tun. Versuchen Sie es gleich noch einmal.
error-internal-heading = Bei uns ist etwas schiefgegangen
error-internal = Im Log steht mehr, unter der Anfrage-ID hierunter.
error-wait-seconds =
    { $count ->
        [1] Warten Sie eine Sekunde, und versuchen Sie es noch einmal.
       *[other] Warten Sie { $count } Sekunden, und versuchen Sie es noch einmal.
    }
error-wait-minutes =
    { $count ->
        [1] Warten Sie eine Minute, und versuchen Sie es noch einmal.
       *[other] Warten Sie { $count } Minuten, und versuchen Sie es noch einmal.
    }
error-forbidden =
    { $role ->
        [staff] Dafür braucht es die Rolle Mitarbeiter. Fragen Sie einen Superuser, wenn Sie sie haben sollten.
        [admin] Dafür braucht es die Rolle Admin. Fragen Sie einen Superuser, wenn Sie sie haben sollten.
       *[superuser] Dafür braucht es die Rolle Superuser. Fragen Sie einen Superuser, wenn Sie sie haben sollten.
    }
error-address-unreadable = Die Adresse ist nicht lesbar: { $error }
error-did-not-fit = Das passte nicht. Nichts wurde geändert.
error-email-taken = Ein anderes Mitarbeiterkonto hat diese Adresse.
error-last-superuser = Das ist der letzte Superuser, der sich anmelden kann. Machen Sie zuerst jemand anderen zum Superuser.
error-gone = Was Sie ändern wollten, gibt es nicht mehr, oder jemand hat es schon geändert.
error-to-settings = Zu den Einstellungen
error-to-sign-in = Anmelden
error-to-sign-in-page = Zur Anmeldung
error-to-second-factor = Zum zweiten Faktor
error-to-overview = Zur Übersicht

form-unreadable = Das Formular ist nicht lesbar: { $error }
form-broke-off = Das Formular brach ab.

password-too-short = Nehmen Sie mindestens 12 Zeichen.
password-too-long = Nehmen Sie höchstens 1024 Bytes.
password-guessable = Das ist zu leicht zu erraten: Nehmen Sie mehr verschiedene Zeichen, und weder die Adresse noch den Namen.

form-email-label = E-Mail
form-save = Speichern
form-name-label = Name
form-email = Geben Sie eine Adresse wie jo@example.org ein.
form-email-taken = Ein anderes Konto hat diese Adresse.

# Auf Seiten, die fragen, bevor etwas geschieht.
confirm-what-will-happen = Was geschehen wird
confirm-leave = Lassen

## Anmelden

sign-in-title = Anmelden
sign-in-submit = Anmelden
sign-in-or = oder
sign-in-staff-only = Nur für Mitarbeiter.
sign-in-signed-out = Sie sind abgemeldet.
sign-in-refused = E-Mail-Adresse und Passwort passen nicht zusammen.

code-title = Geben Sie Ihren Code ein
code-label = Code
code-hint = Sechs Ziffern aus Ihrer Authenticator-App, oder ein Wiederherstellungscode.
code-start-over = Von vorn beginnen

welcome-title = Willkommen
welcome-first = Willkommen bei Latchkey
welcome-first-hint = Sie sind der oder die Erste. Ihr Konto wird Superuser: Es kann alles sehen und ändern, und andere einladen.
welcome-staff = Willkommen, { $name }
welcome-choose = Wählen Sie ein Passwort für <b>{ $email }</b>.
welcome-old-ends = Das alte gilt dann nicht mehr, und jede Sitzung endet.
welcome-name = Geben Sie Ihren Namen ein, höchstens 80 Zeichen.
welcome-submit = Passwort setzen
welcome-bad-link = Dieser Link lässt sich nicht benutzen
welcome-bad-link-hint = Er wurde schon benutzt, ist abgelaufen oder unvollständig. Ein Superuser kann Ihnen einen neuen geben.

forward-title = Weiter zu { $provider }
forward-sentence = Sie melden sich bei { $provider } an und kommen hierher zurück.
forward-link = Zu { $provider }
forward-back-title = Sie sind zurück
forward-back = Der Anbieter hat uns gesagt, wer Sie sind.

step-up-title = Bestätigen Sie, dass Sie es sind
step-up-by-code = Was Sie vorhaben, kann Menschen schaden. Geben Sie einen Code ein; er gilt 10 Minuten lang.
step-up-by-password = Was Sie vorhaben, kann Menschen schaden. Geben Sie Ihr Passwort ein; das gilt 10 Minuten lang.
step-up-by-provider = Was Sie vorhaben, kann Menschen schaden. Melden Sie sich dort neu an, woher Sie kommen; das gilt 10 Minuten lang. Hilft das nicht, melden Sie sich ab und wieder an, und <a href="/admin/settings/second-factor">richten Sie</a> binnen 10 Minuten einen zweiten Faktor ein.
step-up-by-none = Was Sie vorhaben, kann Menschen schaden. Es braucht einen Code zur Bestätigung: Melden Sie sich ab und wieder an, und <a href="/admin/settings/second-factor">richten Sie</a> binnen 10 Minuten einen zweiten Faktor ein.
step-up-submit = Weiter

## Der zweite Faktor

factor-title = Zweiter Faktor
factor-on = An
factor-not-set-up = Nicht eingerichtet
factor-is-on = Ihr zweiter Faktor ist an.
factor-removed = Ihr zweiter Faktor ist entfernt. Richten Sie einen anderen ein.
factor-refused = Dieser Code ist falsch oder wurde schon benutzt. Warten Sie auf den nächsten, oder nehmen Sie einen Wiederherstellungscode.
factor-demanded = Ihr Konto braucht vor allem anderen einen zweiten Faktor.
factor-set-up-title = Zweiten Faktor einrichten
factor-step-1 = 1. Latchkey in Ihre Authenticator-App aufnehmen
factor-scan = Scannen Sie diesen Code:
factor-qr = QR-Code des Geheimnisses hierunter
factor-type = Oder tippen Sie das Geheimnis ab: <code class="secret">{ $secret }</code>
factor-on-this-device = Auf diesem Gerät
factor-open-app = Authenticator-App öffnen
factor-step-2 = 2. Den Code eingeben, den sie zeigt
factor-code-hint = Sechs Ziffern, alle 30 Sekunden neue.
factor-switch-on = Einschalten
factor-not-now = Nicht jetzt
factor-codes-title = Wiederherstellungscodes
factor-codes-hint = Drucken Sie sie aus, oder legen Sie sie in einen Passwortmanager. Jeder meldet Sie einmal an, wenn Sie Ihr Telefon nicht haben. Sie sind nur jetzt zu sehen.
factor-codes-kept = Ich habe sie aufbewahrt
factor-codes-left = { $count } von 10 Wiederherstellungscodes übrig
factor-new-codes = Neue Wiederherstellungscodes
factor-new-codes-hint = Die alten gelten dann nicht mehr.
factor-make-codes = Neue Wiederherstellungscodes erzeugen
factor-another-phone = Ein anderes Telefon
factor-another-phone-hint = Entfernen Sie den zweiten Faktor, und richten Sie einen anderen ein.
factor-another-phone-demanded = Ihr Konto braucht einen, deshalb werden Sie als Erstes danach gefragt.
factor-remove = Den zweiten Faktor entfernen

## Einstellungen

settings-title = Einstellungen
settings-health = Zustand
settings-webhooks = Webhooks
settings-your-account = Ihr Konto
settings-change-password = Passwort ändern…
settings-password-hint = Mindestens 12 Zeichen. Eine Änderung beendet Ihre anderen Sitzungen.
settings-password-not-set = Nicht gesetzt
settings-password-none = Sie brauchen keines. Ein Superuser kann einen Link zum Setzen erzeugen.
settings-you-sign-in-with = Sie melden sich mit { $provider } an
settings-as-since = Als <code>{ $uid }</code>, verknüpft { $since }.
settings-factor-manage = Verwalten<span class="vh"> des zweiten Faktors</span>…
settings-factor-set-up = Einrichten<span class="vh"> des zweiten Faktors</span>…
settings-factor-hint = Ein Code aus einer App auf Ihrem Telefon, zusätzlich zum Passwort.
settings-codes-left = { $count } von 10 Wiederherstellungscodes übrig.
settings-your-sessions = Ihre Sitzungen
settings-end-others = Alle anderen beenden
settings-this-session = Diese hier
settings-end-session = Beenden<span class="vh"> der Sitzung von { $device }</span>
settings-session-with = mit { $provider }
settings-session-ended = Die Sitzung ist beendet.
settings-sessions-ended =
    { $count ->
        [0] Es gab keine andere Sitzung.
        [1] Die andere Sitzung ist beendet.
       *[other] { $count } andere Sitzungen sind beendet.
    }
settings-staff = Team
settings-staff-caption = Mitarbeiterkonten nach Namen
settings-invite = Einladen…
settings-no-factor = Kein zweiter Faktor
settings-signs-in-with = Meldet sich an mit
settings-you = Sie
settings-times = Zeiten und Aussehen

session-since = begonnen { $time }
session-used = benutzt { $time }

password-title = Passwort ändern
password-label = Passwort
password-current = Jetziges Passwort
password-new = Neues Passwort
password-hint = Mindestens 12 Zeichen. Ein paar Wörter merken sich leicht.
password-keep = Behalten
password-changed = Ihr Passwort ist geändert. Alle Ihre anderen Sitzungen sind beendet.
password-wrong = Das ist nicht Ihr Passwort.

## Mitarbeiterkonten

staff-role = Rolle
staff-role-hint = Mitarbeiter sehen. Admins trennen, machen rückgängig, deaktivieren, beenden Sitzungen und exportieren auch. Superuser verwalten außerdem das Team.
staff-no-such-role = Diese Rolle gibt es nicht.
staff-this-is-you = das sind Sie
staff-role-and-demands = Rolle und Auflagen
staff-must = Muss einen zweiten Faktor haben
staff-changed = Das Konto ist geändert.
staff-ways-in = Anmeldewege
staff-password-set = Gesetzt
staff-password-not-set = Noch nicht gesetzt
staff-new-link = Neuer Link<span class="vh"> zum Setzen eines Passworts</span>
staff-new-link-hint = Mit einem Einmal-Link lässt sich ein Passwort setzen.
staff-remove-factor = Entfernen<span class="vh"> des zweiten Faktors</span>
staff-remove-factor-hint = Entfernen Sie ihn, wenn das Telefon und alle Wiederherstellungscodes verloren sind. Das beendet die Sitzungen.
staff-factor-removed = Der zweite Faktor ist entfernt, und alle Sitzungen sind beendet.
staff-signs-in-with = Meldet sich mit { $provider } an
staff-remove-provider = Entfernen<span class="vh"> der Anmeldung mit { $provider }</span>
staff-remove-provider-hint = Als <code>{ $uid }</code>, verknüpft { $since }, zuletzt { $used }. Das Entfernen beendet die Sitzungen; wer dort die Adresse hat und darf, kann neu kommen.
staff-provider-removed = Das Konto ist mit niemandem mehr bei { $provider } verbunden, und seine Sitzungen sind beendet.
staff-account = Konto
staff-made = Angelegt
staff-deactivate-sessions = Alle Sitzungen enden sofort, und eine Anmeldung ist nicht mehr möglich.
staff-deactivate-log = Was getan wurde, bleibt unter diesem Namen im Audit-Log.
staff-deactivate-undo = Sie können das Konto jederzeit reaktivieren.
staff-keep-active = Aktiv lassen
staff-deactivated = Das Konto ist inaktiv, und seine Sitzungen sind beendet.
staff-reactivated = Das Konto ist wieder aktiv.

invite-title = Jemanden einladen
invite-crumb = Einladen
invite-hint = Sie bekommen einen Link zum Weitergeben. Er gilt einmal, 24 Stunden lang.
invite-must = Muss einen zweiten Faktor einrichten
invite-name = Geben Sie einen Namen ein, höchstens 80 Zeichen.
invite-role = Wählen Sie eine Rolle.
invite-submit = Link erzeugen
link-title = Einmal-Link
link-for = Einmal-Link für { $name }
link-hint = Geben Sie ihn selbst weiter: Wer ihn als Erstes öffnet, setzt das Passwort. Er gilt einmal, 24 Stunden lang, und ist nur jetzt zu sehen.
link-label = Link
link-done = Fertig

## Words: what was done

action-signed-up = Hat sich registriert
action-signed-in = Hat sich angemeldet
action-associated = Social-Account verknüpft
action-refused = Wurde abgelehnt
action-session-refreshed = Sitzung erneuert
action-refresh-token-reused = Verbrauchtes Refresh-Token verwendet
action-link-ticket-issued = Verknüpfungsticket erhalten
action-leftovers-cleared = Unbestätigte Reste entfernt
action-user-viewed = Benutzer angesehen
action-unlinked = Social-Account getrennt
action-unlink-undone = Trennen rückgängig gemacht
action-token-revoked = Access-Token widerrufen
action-association-ticket-issued = Zuordnungsticket ausgestellt
action-association-ticket-redeemed = Zuordnungsticket eingelöst
action-associated-in-advance = Social-Account im Voraus verknüpft
action-deactivated = Benutzer deaktiviert
action-reactivated = Benutzer reaktiviert
action-session-revoked = Sitzung beendet
action-sessions-revoked = Alle Sitzungen beendet
action-token-checked = Access-Token geprüft
action-list-exported = Liste exportiert
action-provider-tested = Anbieter geprüft
action-webhook-tested = Test an einen Webhook gesendet
action-webhook-resent = Zustellung wiederholt
action-staff-signed-in = Hat sich als Mitarbeiter angemeldet
action-staff-sign-in-refused = Wurde als Mitarbeiter abgelehnt
action-staff-signed-out = Hat sich als Mitarbeiter abgemeldet
action-staff-stepped-up = Hat die eigene Identität bestätigt
action-staff-invited = Kollegen eingeladen
action-staff-changed = Mitarbeiterkonto geändert
action-staff-deactivated = Mitarbeiterkonto deaktiviert
action-password-set = Passwort gesetzt
action-second-factor-set = Zweiten Faktor eingerichtet
action-second-factor-removed = Zweiten Faktor entfernt
action-recovery-code-used = Wiederherstellungscode verwendet
action-api-client-created = API-Client angelegt
action-api-client-deactivated = API-Client deaktiviert
action-client-token-issued = Access-Token für die API erhalten
action-client-token-refused = Wurde als API-Client abgelehnt

## Words: why

reason-invalid-token = Kein gültiger Nachweis
reason-expired-token = Abgelaufen oder widerrufen
reason-wrong-audience = Access-Token einer anderen App
reason-unbound-token = Nicht als unseres erwiesen
reason-nonce-mismatch = Nonce stimmt nicht überein
reason-nonce-spent = Nonce wurde schon benutzt
reason-social-auth-failed = Vom Anbieter abgelehnt
reason-already-in-use = Gehört zu einem anderen Benutzer
reason-not-signed-up = Niemand ist damit registriert
reason-already-signed-up = Ist schon registriert
reason-inactive-user = Benutzer ist inaktiv
reason-account-refused = Das Team lehnt diesen Account ab
reason-sign-ups-closed = Registrierung ist geschlossen
reason-email-not-allowed = Adresse ist nicht erlaubt
reason-email-in-use = Adresse gehört einem anderen Benutzer
reason-link-ticket-invalid = Verknüpfungsticket ist ungültig
reason-invalid-bearer = Sitzung war beendet
reason-link-ticket = Mit Verknüpfungsticket
reason-wrong-secret = Secret ist falsch
reason-inactive-client = API-Client ist inaktiv
reason-no-scope = API-Client darf selbst nichts tun
reason-invalid-scope = Scope wurde nie gewährt
reason-wrong-domain = Adresse einer anderen Domain
reason-unverified-email = Adresse ist nicht bestätigt
reason-not-allowed = Steht nicht auf der Liste der Personen
reason-no-account = Hat kein Mitarbeiterkonto
reason-other-uid = Account gehört dort jemand anderem
reason-another-person = Jemand anders als angemeldet
reason-code-needed = Ein Code ist nötig
reason-stale-sign-in = Wurde nicht neu nach der Anmeldung gefragt
reason-session-ended = Mitarbeitersitzung war beendet
reason-unknown-state = Anderer Browser oder schon benutzt
reason-expired-state = Dauerte länger als 10 Minuten
reason-missing-code = Kam ohne Code zurück
reason-wrong-issuer = Antwort eines anderen Ausstellers
reason-refused-by-provider = Anbieter gab keinen Code
reason-unknown = Kein solches Mitarbeiterkonto
reason-inactive = Mitarbeiterkonto ist inaktiv
reason-wrong-password = Falsches Passwort
reason-wrong-factor = Falscher Code oder falsches Passwort

## Words: who acted

actor-api-client = { $title } (API-Client)
actor-api-client-by-id = API-Client { $id }
actor-staff-by-id = Mitarbeiter { $id }
actor-user-by-id = Benutzer { $id }
actor-the-user = Der Benutzer
actor-service = Der Dienst
actor-anonymous = Nicht angemeldet
actor-somebody = Jemand

## Words: what failed

outage-accepted = Angenommen
outage-refused = Abgelehnt
outage-timeout = Anbieter antwortete nicht rechtzeitig
outage-connect = Anbieter nicht erreicht
outage-redirect = Anbieter leitete um
outage-too-large = Antwort zu groß
outage-status = Anbieter antwortete mit einem Fehler
outage-malformed = Antwort nicht verwendbar
outage-circuit-open = Nicht gefragt, Anbieter war gestört
outage-overloaded = Nicht gefragt, zu viele zugleich
# What checks did, after “61 of 70 checks in the last hour”.
outage-happened-timeout = blieben ohne rechtzeitige Antwort
outage-happened-connect = erreichten ihn nicht
outage-happened-redirect = wurden umgeleitet
outage-happened-too-large = bekamen eine zu große Antwort
outage-happened-status = wurden mit einem Fehler beantwortet
outage-happened-malformed = bekamen eine unbrauchbare Antwort
outage-happened-otherwise = schlugen fehl

outcome-begun = Begonnen
outcome-page = Eine Seite
outcome-complete = Vollständig
outcome-broken-off = Abgebrochen
outcome-revoked = Widerrufen
outcome-another-persons = Access-Token einer anderen Person
outcome-not-askable = Nicht prüfbar

webhook-problem-timeout = Keine rechtzeitige Antwort
webhook-problem-connect = Nicht erreicht
webhook-problem-redirect = Umgeleitet
webhook-problem-malformed = Antwort nicht verwendbar
webhook-problem-missing = Eintrag im Audit-Log fehlt
webhook-problem-gone = Will nichts mehr (410)
webhook-problem-status = Antwortete mit { $status }

## Words: proofs

audience-id-token = Signiertes ID-Token: seine Audience ist eine unserer Client-IDs
audience-debug-token = Der Debug-Endpunkt des Anbieters nennt die App eines Tokens
audience-tokeninfo = Ein Token-Info-Endpunkt nennt die App eines Tokens
audience-introspection = Introspection (RFC 7662) mit unseren Zugangsdaten
audience-app-check = Ein Endpunkt, der nur für Tokens unserer App antwortet
audience-oauth1-signature = Anfragen werden mit unserem Consumer-Secret signiert (OAuth 1.0a)
audience-secret-proof = Anfragen tragen einen Nachweis aus unserem Client-Secret
audience-none = Keiner: Das Token einer anderen App ist von unserem nicht zu unterscheiden
# Kinds of proofs within a sentence, and as labels.
proof-access-token = Access-Token
proof-token-pair = Token-Paar
proof-id-token = ID-Token
proof-code = Code
proof-access-token-label = Access-Token
proof-token-pair-label = Token-Paar
proof-id-token-label = ID-Token
proof-code-label = Code

## Words: numbers

number-percent = { $share } %
number-milliseconds = { $count } ms
number-seconds = { $seconds } s

## Anbieter

providers-none-heading = Kein Anbieter ist eingerichtet
providers-none = Setzen Sie eine Tabelle [providers.ID] mit der Client-ID aus der Konsole des Anbieters in die Konfiguration, und starten Sie neu. Der Katalog hierunter sagt, was jeder braucht.
providers-on = An
providers-off = Aus
providers-caption = Anbieter, die an sind, ausfallende zuerst
providers-state = Zustand
providers-last-success-failure = Letzter Erfolg, letzter Ausfall
providers-latency = p50 / p95
providers-failed = Ausfälle 1 h / 24 h
providers-only-way = Einziger Weg für
providers-only-way-for = einziger Weg für { $count }
providers-audience-proof = Audience-Nachweis
providers-no-success = Noch kein Erfolg
providers-last-success = Letzter Erfolg
providers-outage-at = { $what }, { $at }
providers-both = { $one } / { $other }
providers-p95 = p95 { $duration }
providers-unbound = nimmt ungebundene Token
providers-switched-off = Abgeschaltet
providers-not-set-up = Nicht eingerichtet
providers-set-up = Eingerichtet
providers-missing = Es fehlt:
providers-is-missing = { $key } fehlt
providers-removed = Entfernt
providers-removed-hint = Ihre Social-Accounts sind noch da und bleiben, wie sie sind. Niemand meldet sich damit an, bis der Anbieter wieder eingetragen ist.
providers-accounts = Social-Accounts: { $count }
providers-catalogue = Im Katalog
providers-catalogue-hint = Nicht konfiguriert. Jede Seite sagt, was fehlt. Jeder OpenID-Connect-Aussteller geht ohne Eintrag, über seinen <code>issuer</code>.
providers-quiet = Ruhig
providers-healthy = Gesund
providers-unsteady = Unstet
providers-failing = Fällt aus

provider-is-failing = { $provider } fällt aus: { $outages } von { $checks } Prüfungen der letzten Stunde { $happened }
provider-test = Testen
provider-test-result = Test
provider-removed = Aus der Konfiguration entfernt
provider-removed-hint = Es gibt keine Tabelle <code>[providers.{ $id }]</code>, aber Social-Accounts davon sind noch da. Niemand meldet sich damit an.
provider-removed-again = Um diese Benutzer wieder hereinzulassen
provider-removed-again-hint = Setzen Sie die Tabelle wieder ein, und starten Sie neu.
provider-removed-off = Um ihn abgeschaltet zu lassen
provider-removed-off-hint = Setzen Sie die Tabelle mit <code>enabled = false</code> wieder ein.
provider-removed-for-good = Um für immer ohne ihn auszukommen
provider-removed-for-good-hint = Nennen Sie ihn in <code>removed_providers</code>. In Produktion startet der Dienst sonst nicht ohne ihn, solange Benutzer keinen anderen Weg haben.
provider-how-it-does = Wie es ihm geht
provider-never = nie
provider-last-failure = Letzter Ausfall
provider-no-failure = keiner
provider-half-within = Die Hälfte der Prüfungen in
provider-most-within = 95 von 100 in
provider-failed-hour = Ausgefallen, letzte Stunde
provider-failed-day = Ausgefallen, letzte 24 Stunden
provider-share-of-checks = { $share } von { $checks } Prüfungen
provider-no-checks = keine Prüfungen
provider-circuit = Schutzschalter
provider-circuit-open = Offen: bleibt jeweils einige Sekunden in Ruhe
provider-circuit-closed = Geschlossen: wird gefragt
provider-client-ids = Client-IDs
provider-client-ids-table = Tabelle der Client-IDs
provider-client-id = Client-ID
provider-platform = Plattform
provider-any-platform = jede
provider-secret = Geheimnis
provider-secret-set = gesetzt, { $count } Zeichen
provider-secret-none = keines
provider-try = Ein Token ausprobieren
provider-try-hint = Fügen Sie ein Token ein, das Ihre App von { $provider } bekam. Die Antwort sagt, ob es Ihres ist. Es wird weder gespeichert noch protokolliert, und niemand wird angemeldet.
provider-kind = Art
provider-token = Token
provider-token-secret = Token-Geheimnis
provider-token-secret-hint = Nur bei einem Token-Paar (OAuth 1.0a).
provider-try-it = Ausprobieren
provider-id = ID
provider-also-called = Heißt auch
provider-takes = Nimmt
provider-takes-nothing = so eingerichtet nichts
provider-accepted = Vom Betreiber hingenommen
provider-accepted-hint = Access-Token jeder anderen App werden angenommen.
provider-setting-up = Einrichten
provider-documentation = Dokumentation von { $provider }
provider-what-is-missing = Was fehlt
provider-missing-table = Tabelle dessen, was fehlt
provider-missing-hint = Setzen Sie das in die Tabelle <code>[providers.{ $id }]</code> der Konfiguration, und starten Sie neu. Einzelheiten stehen in docs/PROVIDERS.md.
provider-switch-on = Die Einstellungen sind vollständig. Entfernen Sie <code>providers.{ $id }.enabled = false</code>, und starten Sie neu, um ihn einzuschalten.
provider-setting = Einstellung
provider-problem = Problem
provider-what-to-do = Was zu tun ist

verdict-not-stored = Das Token wurde weder gespeichert noch protokolliert.
verdict-ours-heading = Unseres
verdict-ours = Ausgestellt für { $client_id }, für das Konto { $uid }.
verdict-ours-untold = Für das Konto { $uid }. Für welche unserer Client-IDs es ausgestellt wurde, sagt der Anbieter nicht.
verdict-not-ours-heading = Nicht unseres
verdict-not-ours = Es wurde für eine andere App ausgestellt. Vergleichen Sie die Client-ID Ihrer App mit denen oben.
verdict-unproven-heading = Nicht als unseres erwiesen
verdict-unproven = Nichts beweist, für welche App es ausgestellt wurde. Reichen Sie einen Code oder ein ID-Token ein, oder nehmen Sie das mit providers.{ $id }.allow_unbound_tokens hin.
verdict-expired-heading = Abgelaufen
verdict-expired = Es war einmal gültig. Holen Sie ein neues.
verdict-not-valid-heading = Nicht gültig
verdict-not-valid = { $provider } kennt es nicht, oder es ist beschädigt.
verdict-not-reached-heading = Lässt sich nicht sagen
verdict-not-reached = { $provider } ließ sich gerade nicht fragen.
verdict-not-taken-heading = Wird hier nicht genommen
verdict-not-taken = Ein Token dieser Art wird von diesem Anbieter, so wie er eingerichtet ist, nicht genommen.

trial-host = { $host } erreichen
trial-keys = Die Schlüssel der ID-Token lesen
trial-credentials = Client-ID und Geheimnis von { $client_id }
trial-usable = { $count } brauchbar
trial-accepted = Angenommen
trial-works = Geht
trial-refused = Abgelehnt: Prüfen Sie das Client-Geheimnis
trial-unclear = Ohne den Code einer echten Anmeldung nicht zu sagen
trial-timeout = Zeit abgelaufen
trial-connect = Keine Verbindung
trial-redirect = Umleitung
trial-too-large = Antwort zu groß
trial-status = HTTP-Status { $code }
trial-malformed = Antwort unbrauchbar: { $what }
trial-circuit-open = Schutzschalter offen
trial-overloaded = Überlastet

dependants-title = Wer von ihm abhängt
dependants-users = Benutzer ohne anderen Weg
dependants-at-least = mindestens { $count }
dependants-more-than = mehr als { $count }
dependants-who-have-it = Benutzer, die ihn haben
dependants-last-7-days = In den letzten 7 Tagen registriert
dependants-all = Alle
dependants-putting-back = Wieder eintragen
dependants-gives-a-way = Gibt diesen Benutzern einen Weg mehr. Social-Accounts bleiben, wie sie sind.
dependants-lets-in = Lässt diese Benutzer wieder herein. Social-Accounts bleiben, wie sie sind.
dependants-switching-off = Abschalten
dependants-locks-nobody = Sperrt niemanden aus. Social-Accounts bleiben, wie sie sind.
dependants-locks-out = Sperrt diese Benutzer aus, bis er wieder an ist. Social-Accounts bleiben, wie sie sind.
dependants-one-removed = { $provider } wurde aus der Konfiguration entfernt
dependants-several-removed = { $providers } und { $last } wurden aus der Konfiguration entfernt
dependants-of = { $provider } { $count }
dependants-locked-out = Benutzer ohne anderen Weg: { $counts }. Ihre Social-Accounts bleiben, wie sie sind.

## Webhooks

webhooks-who-is-told = Wer benachrichtigt wird
webhooks-nobody-heading = Niemand wird benachrichtigt
webhooks-nobody = Setzen Sie eine Tabelle [webhooks.NAME] mit url und secret in die Konfiguration, und starten Sie neu. Von da an erfährt Ihre Anwendung von Registrierungen, Trennungen und Ähnlichem, signiert und wiederholt, bis sie antwortet.
webhooks-all-events = alle Ereignisse
webhooks-not-reached = Nicht erreicht, { $count } warten
webhooks-has-everything = Hat alles
webhooks-waiting = { $count } warten
webhooks-given-up = { $count } aufgegeben
webhooks-send-test = Test senden<span class="vh"> an { $name }</span>
webhooks-tested = Ein Test ist unterwegs zu { $name }. In einigen Sekunden ist er hierunter zu sehen.
webhooks-deliveries = Zustellungen
webhooks-all-deliveries = Alle Zustellungen
webhooks-not-delivered = Nicht zugestellt
webhooks-all-arrived-heading = Alles ist angekommen
webhooks-all-arrived = Keine Zustellung wartet, und keine wurde aufgegeben.
webhooks-show-all = Alle Zustellungen zeigen
webhooks-nothing-heading = Noch nichts
webhooks-nothing = Hier steht, was Webhooks mitgeteilt wird: 3 Tage lang, wenn es angekommen ist, sonst 30.
webhooks-caption = Die letzten Zustellungen, neueste zuerst
webhooks-event = Ereignis
webhooks-webhook = Webhook
webhooks-queued = Eingereiht
webhooks-send-again = Nochmals senden<span class="vh">: { $event } an { $webhook }</span>
webhooks-resent = { $event } wird nochmals an { $webhook } gesendet.
webhooks-not-given-up = Diese Zustellung ist angekommen, wird noch versucht oder nicht mehr aufbewahrt. Nichts wurde getan.
webhooks-show-deliveries = Zu den Zustellungen
delivery-delivered = Zugestellt
delivery-given-up = Aufgegeben
delivery-tried-again = Wird wiederholt
delivery-waiting = Wartet
delivery-problem =
    { $tries ->
        [1] { $problem }, 1 Versuch
       *[other] { $problem }, { $tries } Versuche
    }
delivery-next = nächster { $time }

## Zustand

health-as-json = Als JSON
health-version = Version
health-instance = Instanz { $instance }, gestartet { $time }.
health-not-known = Nicht bekannt
health-behind = Im Rückstand
health-database = Datenbank
health-answers = Antwortet
health-does-not-answer = Antwortet nicht
health-database-silent = { $backend }. Registrierungen und Anmeldungen werden abgelehnt, bis sie antwortet.
health-migrations = Migrationen
health-all-applied = Alle angewandt
health-migrations-missing = Es fehlen: { $migrations }. Führen Sie latchkey migrate aus.
health-disk = Platte
health-not-ours = Nicht unsere
health-disk-of-server = Der Datenbankserver hat sie.
health-disk-used = Die Datenbank belegt { $size }.
health-disk-free = { $size } frei
health-upkeep = Pflege
health-up-to-date = Auf dem Stand
health-upkeep-done = Listen, Suche und Diagramme haben alles.
health-upkeep-waiting = { $count } Audit-Einträge warten auf die Zusammenfassung; Seiten zählen sie trotzdem. Der älteste wurde geschrieben { $time }.
health-upkeep-waiting-more = mehr als { $count } Audit-Einträge warten auf die Zusammenfassung; Seiten zählen sie trotzdem. Der älteste wurde geschrieben { $time }.
health-keys = Schlüssel
health-keys-unknown = Alter nicht bekannt
health-keys-changed = Die Schlüsseldatei wurde zuletzt geändert { $time }.
health-keys-old = Älter als ein Jahr
health-keys-in-place = Vorhanden
health-none-failing = Keiner fällt aus
health-failing =
    { $count ->
        [1] 1 fällt aus
       *[other] { $count } fallen aus
    }

number-size = { $size } { $unit }

## Übersicht

overview-period = Zeitraum
overview-no-such-period = Diesen Zeitraum gibt es nicht. Nehmen Sie 24h, 7d oder 30d.
overview-day = 24 Std.
overview-week = 7 Tage
overview-month = 30 Tage
overview-last-day = Letzte 24 Stunden
overview-last-week = Letzte 7 Tage
overview-last-month = Letzte 30 Tage
overview-on-the-day = zu den 24 Stunden davor
overview-on-the-week = zu den 7 Tagen davor
overview-on-the-month = zu den 30 Tagen davor
overview-sign-ups = Registrierungen
overview-sign-ins = Anmeldungen
overview-failed = Fehlgeschlagen
overview-inactive = { $count } inaktiv
overview-inactive-more = { $count }+ inaktiv
overview-none-before = davor keine
overview-as-many = so viele wie davor
overview-as-before = wie davor
overview-more = ▲ { $percent } %
overview-fewer = ▼ { $percent } %
overview-points = Punkte
overview-points-more = ▲ { $points }
overview-points-fewer = ▼ { $points }
overview-failures = Fehlschläge nach Anbieter und Grund
overview-failures-table = Tabelle der Fehlschläge
overview-nothing-failed-day = In den letzten 24 Stunden schlug nichts fehl.
overview-nothing-failed-week = In den letzten 7 Tagen schlug nichts fehl.
overview-nothing-failed-month = In den letzten 30 Tagen schlug nichts fehl.
overview-share = Anteil
overview-count = Anzahl
overview-all-providers = Alle Anbieter
overview-no-provider = Kein Anbieter ist eingerichtet.

chart-heading-hour = Registrierungen je Stunde, nach Anbieter
chart-heading-day = Registrierungen je Tag, nach Anbieter
chart-label = Registrierungen nach Anbieter, { $range }; die Tabelle hierunter hat dieselben Zahlen
chart-hours = { $first } bis { $last } UTC
chart-days = { $first_day }. { $first_month } bis { $last_day }. { $last_month } { $year }
chart-sign-ups =
    { $count ->
        [1] { $when }: 1 Registrierung
       *[other] { $when }: { $count } Registrierungen
    }
chart-others = Andere
chart-nobody = In diesem Zeitraum hat sich niemand registriert.
chart-show-table = Die Zahlen als Tabelle zeigen
chart-table-hour = Registrierungen je Stunde
chart-table-day = Registrierungen je Tag
chart-caption-hour = Registrierungen nach Stunde und Anbieter, { $range }
chart-caption-day = Registrierungen nach Tag und Anbieter, { $range }
chart-hour = Stunde (UTC)
chart-day = Tag (UTC)
chart-all = Alle

checklist-title = Erste Schritte
checklist-done = Erledigt
checklist-start = Den Dienst starten
checklist-start-text = Er läuft, und seine Datenbank ({ $backend }) ist auf dem Stand.
checklist-start-link = Zum Zustand
checklist-sign-in = Als Mitarbeiter anmelden
checklist-sign-in-text = Sie sind angemeldet. Laden Sie Ihre Kolleginnen und Kollegen ein, jeweils mit eigener Rolle.
checklist-sign-in-link = Mitarbeiterkonten
checklist-provider = Einen Anbieter einrichten
checklist-provider-none = Setzen Sie eine Client-ID aus der Konsole des Anbieters in die Konfiguration, und starten Sie neu.
checklist-provider-some = { $providers } kann benutzt werden.
checklist-prove = Sich überzeugen, dass es geht
checklist-prove-text = Öffnen Sie einen Anbieter, und drücken Sie „Testen“. Fügen Sie ein Access-Token aus Ihrer App ein, um zu sehen, ob es als Ihres gilt.
checklist-prove-link = Einen Anbieter testen
checklist-hand-in = Das erste Access-Token einreichen
checklist-hand-in-text = Lassen Sie Ihre App es an POST /social_sign_up/ senden. Mit der ersten Registrierung erscheinen hier die Zahlen.
## A user

person-can-sign-in = { $name } kann sich mit jedem verknüpften Social-Account wieder anmelden.
person-linked-at = verknüpft { $time }
person-last-sign-in-at = letzte Anmeldung { $time }
person-revoke-sessions = Sitzungen beenden…
person-reactivate = Reaktivieren…
person-inactive-why = <strong>Inaktiv.</strong> { $by } hat diesen Benutzer deaktiviert ({ $time }): { $reason }
person-ways-in =
    { $count ->
        [0] Keine Anmeldemöglichkeit
        [one] 1 Anmeldemöglichkeit
       *[other] { $count } Anmeldemöglichkeiten
    }
person-no-account = Kein Social-Account ist verknüpft.
person-provider-off = Anbieter ist aus
person-token-refused = Vom Anbieter abgelehnt
person-token-of-another-app = Access-Token einer anderen App
person-token-of-another-person = Access-Token einer anderen Person
person-token-expired = Access-Token abgelaufen
person-token-missing = Kein Access-Token
person-token-expires =
    { $count ->
        [one] Access-Token läuft in 1 Tag ab
       *[other] Access-Token läuft in { $count } Tagen ab
    }
person-unlink = Trennen<span class="vh">: { $provider } { $uid }</span>…
person-data = Daten des Anbieters<span class="vh">: { $provider } { $uid }</span>
person-data-sealed = Daten des Anbieters: { $provider } { $uid }, Geheimnisse versiegelt
person-data-hint = Versiegelte Werte gelangen nie auf diese Seite.
# In place of values that are not shown.
person-data-too-deep = tiefer, als gezeigt wird
person-data-sealed-value = versiegelt, { $count } Zeichen
person-data-hidden-text = verborgen, { $count } Zeichen
person-data-hidden = verborgen
person-check = Bei { $provider } prüfen<span class="vh">: { $uid }</span>
person-checked-at = Geprüft { $time }: { $result }.
person-checked = Bei { $provider } geprüft: { $result }.
person-checked-too-soon =
    { $count ->
        [one] Dieser Account wurde eben erst geprüft. Prüfen Sie ihn in 1 Sekunde noch einmal.
       *[other] Dieser Account wurde eben erst geprüft. Prüfen Sie ihn in { $count } Sekunden noch einmal.
    }
# What a check said, after a colon.
person-check-works = Das Access-Token funktioniert
person-check-expired = Das Access-Token ist abgelaufen
person-check-refused = Das Access-Token wird abgelehnt
person-check-another-apps = Das Access-Token wurde für eine andere App ausgestellt
person-check-another-persons = Das Access-Token gehört einer anderen Person
person-check-not-reached = Der Anbieter war nicht erreichbar
person-check-impossible = Das Access-Token lässt sich nicht prüfen
person-unlinked = Getrennt
person-unlinked-scope = kann zurückgegeben werden
person-unlinked-why = { $by } hat ihn getrennt ({ $time }): { $reason }
person-unlinked-until = Bis er zurückgegeben ist, entsteht bei einer Anmeldung mit ihm ein zweiter Benutzer. Die Frist zum Rückgängigmachen endet { $time }.
person-undo = Rückgängig machen<span class="vh">: Trennen von { $provider } { $uid }</span>
person-associate = Bei nächster Anmeldung verknüpfen<span class="vh">: { $provider } { $uid }</span>…
person-order-refused = Abgelehnt bis { $day }
person-order-associate = Geht bei der nächsten Anmeldung an Benutzer { $user }, bis { $day }
person-order-why = { $by }: { $reason }
person-sessions = Sitzungen
person-revoke-all = Alle beenden…
person-no-session = Nirgends angemeldet.
person-session-now = Jetzt
person-revoke = Beenden<span class="vh">: { $device }, Sitzung { $id }</span>…
person-session-with = Angemeldet mit { $provider }
person-session-with-gone = Angemeldet mit einem Account, den es nicht mehr gibt
person-all-activity = Alle Aktivität
person-request = Anfrage <span class="mono">{ $id }</span>
person-profile = Profil
person-user-id = Benutzer-ID
person-username = Benutzername
person-email-verified = Bestätigt
person-email-not-verified = Nicht bestätigt
person-no-email = Keine
# What happened to a user.
person-did-sign-up = Mit { $provider } registriert
person-did-sign-in = Mit { $provider } angemeldet
person-did-link = { $provider } verknüpft
person-was-refused = Mit { $provider } abgelehnt: { $reason }
person-session-refreshed = Sitzung erneuert
person-refresh-token-reused = Ein verbrauchtes Refresh-Token kam zurück; die Sitzung wurde beendet
person-link-ticket-issued = Gefragt, ob { $provider } verknüpft werden soll, anhand der E-Mail-Adresse
person-leftovers-cleared = Unbestätigte Accounts und Sitzungen vor einer Verknüpfung anhand der E-Mail-Adresse entfernt
person-viewed = { $actor } hat diese Seite angesehen
person-viewed-times = { $actor } hat diese Seite { $count }-mal angesehen
person-was-unlinked = { $provider } getrennt
person-unlink-undone = { $provider } zurückgegeben
person-token-revoked = { $provider } hat das Access-Token widerrufen
person-token-not-revoked = { $provider } hat das Access-Token nicht widerrufen
person-token-revocation-not-reached = { $provider } war zum Widerrufen des Access-Tokens nicht erreichbar
person-association-ticket-issued = Die nächste Anmeldung mit { $provider } verknüpft den Account hier
person-association-ticket-redeemed = { $provider } mit einem Ticket verknüpft
person-associated-in-advance = { $provider } vor der ersten Anmeldung damit verknüpft
person-deactivated = Deaktiviert
person-reactivated = Reaktiviert
person-session-revoked = Eine Sitzung beendet
person-sessions-revoked = Alle Sitzungen beendet
person-token-checked = { $provider }: { $result }
# What is wrong with a form, or has changed meanwhile.
person-reason-too-short = Geben Sie einen Grund mit mindestens 3 Zeichen an
person-reason-too-long = Geben Sie einen Grund mit höchstens 200 Zeichen an
person-show-now = Den Benutzer zeigen, wie er jetzt ist
person-conflict-account-gone = Der Benutzer hat diesen Social-Account nicht mehr. Es wurde nichts getan.
person-conflict-stale = Der Social-Account wurde benutzt, seit die Seite gezeigt wurde. Es wurde nichts getan: Sehen Sie noch einmal nach und entscheiden Sie neu.
person-conflict-last-way-in = Seit die Seite gezeigt wurde, ist er die einzige Anmeldemöglichkeit geworden. Es wurde nichts getan: Sehen Sie noch einmal nach und entscheiden Sie neu.
person-conflict-not-kept = Die Frist dafür ist vorbei: Der getrennte Account wird nicht mehr aufbewahrt. Es wurde nichts getan.
person-conflict-taken = Inzwischen hat sich jemand mit diesem Social-Account angemeldet, und er gehört jetzt zu dessen Benutzer. Es wurde nichts getan.
person-conflict-inactive = Dieser Benutzer ist inaktiv. Es wurde nichts getan.

## Unlinking a social account

unlink-short = Trennen
unlink-title = { $provider } von { $name } trennen
unlink-question = { $provider } von { $name } trennen?
unlink-only-way-in = Das ist die einzige Anmeldemöglichkeit von { $name }
unlink-only-way-in-hint = Nach dem Trennen kann sich { $name } nicht anmelden. Eine neue Anmeldung mit { $provider } würde einen zweiten, leeren Benutzer anlegen.
unlink-token-revoked = Das gespeicherte Access-Token wird gelöscht und, wo { $provider } das zulässt, widerrufen.
unlink-token-erased = Das gespeicherte Access-Token wird gelöscht. { $provider } wird nicht gebeten, es zu widerrufen.
unlink-sessions =
    { $count ->
        [0] Mit { $provider } wurde keine Sitzung begonnen, also endet keine.
        [one] 1 mit { $provider } begonnene Sitzung endet sofort.
       *[other] { $count } mit { $provider } begonnene Sitzungen enden sofort.
    }
unlink-undo-days =
    { $count ->
        [one] Sie können es 1 Tag lang rückgängig machen. Das Access-Token kommt mit der nächsten Anmeldung zurück.
       *[other] Sie können es { $count } Tage lang rückgängig machen. Das Access-Token kommt mit der nächsten Anmeldung zurück.
    }
unlink-no-undo = Es lässt sich nicht rückgängig machen.
unlink-webhooks = Das Ereignis <code>social_account.unlinked</code> geht an { $webhooks }.
unlink-sure = Mir ist klar, dass { $name } dann keine Anmeldemöglichkeit hat
unlink-sure-missing = Bestätigen Sie, dass keine Anmeldemöglichkeit bleibt
unlink-refuse = Diesen Account bei { $provider } ablehnen, wenn er sich wieder registrieren oder verknüpfen will, bis { $day }
unlink-button = { $provider } trennen
unlink-keep = Verknüpft lassen
unlink-undo = Rückgängig machen
unlink-repeated = { $provider } war schon getrennt. Es wurde nichts getan.
unlink-done-revoked =
    { $count ->
        [0] { $provider } getrennt. { $provider } hat das Access-Token widerrufen.
        [one] { $provider } getrennt. 1 Sitzung beendet. { $provider } hat das Access-Token widerrufen.
       *[other] { $provider } getrennt. { $count } Sitzungen beendet. { $provider } hat das Access-Token widerrufen.
    }
unlink-done-not-revoked =
    { $count ->
        [0] { $provider } getrennt. { $provider } hat das Access-Token nicht widerrufen; vielleicht war es schon abgelaufen.
        [one] { $provider } getrennt. 1 Sitzung beendet. { $provider } hat das Access-Token nicht widerrufen; vielleicht war es schon abgelaufen.
       *[other] { $provider } getrennt. { $count } Sitzungen beendet. { $provider } hat das Access-Token nicht widerrufen; vielleicht war es schon abgelaufen.
    }
unlink-done-not-reached =
    { $count ->
        [0] { $provider } getrennt. { $provider } war nicht erreichbar, deshalb kann das Access-Token dort weiter gelten.
        [one] { $provider } getrennt. 1 Sitzung beendet. { $provider } war nicht erreichbar, deshalb kann das Access-Token dort weiter gelten.
       *[other] { $provider } getrennt. { $count } Sitzungen beendet. { $provider } war nicht erreichbar, deshalb kann das Access-Token dort weiter gelten.
    }
unlink-done =
    { $count ->
        [0] { $provider } getrennt.
        [one] { $provider } getrennt. 1 Sitzung beendet.
       *[other] { $provider } getrennt. { $count } Sitzungen beendet.
    }
unlink-undone = { $provider } ist wieder verknüpft. Das Access-Token kommt mit der nächsten Anmeldung zurück.
unlink-undone-before = { $provider } war schon zurückgegeben. Es wurde nichts getan.

## Deactivating a user, and the way back

activation-deactivate-open = Deaktivieren…
activation-deactivate-short = Deaktivieren
activation-reactivate-short = Reaktivieren
activation-deactivate = { $name } deaktivieren
activation-reactivate = { $name } reaktivieren
activation-deactivate-question = { $name } deaktivieren?
activation-reactivate-question = { $name } reaktivieren?
activation-sessions =
    { $count ->
        [0] Es gibt keine Sitzung zu beenden.
        [one] 1 Sitzung endet sofort.
       *[other] { $count } Sitzungen enden sofort.
    }
activation-cannot-sign-in = { $name } kann sich nicht anmelden. Die App erfährt den Grund nicht: Sie bekommt „Error with social authentication“.
activation-stays = Alles bleibt, wie es ist, und Sie können jederzeit reaktivieren.
activation-sessions-stay-ended = Beendete Sitzungen bleiben beendet.
activation-keep-active = Aktiv lassen
activation-keep-inactive = Inaktiv lassen
activation-deactivated =
    { $count ->
        [one] Deaktiviert. 1 Sitzung beendet.
       *[other] Deaktiviert. { $count } Sitzungen beendet.
    }
activation-deactivated-before = Der Benutzer war schon inaktiv. Es wurde nichts getan.
activation-reactivated = Reaktiviert. Der Benutzer kann sich wieder anmelden; beendete Sitzungen bleiben beendet.
activation-reactivated-before = Der Benutzer war schon aktiv. Es wurde nichts getan.

## Ending sessions of a user

sessions-revoke = Beenden
sessions-end-all = Alle Sitzungen von { $name } beenden
sessions-end-all-question = Alle Sitzungen von { $name } beenden?
sessions-end-all-button = Alle Sitzungen beenden
sessions-end-one = Eine Sitzung von { $name } beenden
sessions-end-one-question = Diese Sitzung von { $name } beenden?
sessions-end-one-button = Sitzung beenden
sessions-signed-out =
    { $count ->
        [one] { $name } wird überall abgemeldet: 1 Sitzung.
       *[other] { $name } wird überall abgemeldet: { $count } Sitzungen.
    }
sessions-others-go-on = Die Sitzung endet sofort; die anderen laufen weiter.
sessions-keep-all = Nicht beenden
sessions-keep-one = Nicht beenden
sessions-ended =
    { $count ->
        [0] Es gab keine Sitzung mehr zu beenden.
        [one] 1 Sitzung beendet.
       *[other] { $count } Sitzungen beendet.
    }
sessions-ended-one = Sitzung beendet.
sessions-ended-before = Die Sitzung war schon beendet. Es wurde nichts getan.

## Associating an account on its next sign-in

ticket-associate = Bei nächster Anmeldung verknüpfen
ticket-title = { $provider } bei der nächsten Anmeldung verknüpfen
ticket-question = { $provider } bei der nächsten Anmeldung damit verknüpfen?
ticket-was = gehörte { $name }
ticket-next-sign-in = Wer sich als Nächstes mit diesem Account bei { $provider } anmeldet, meldet sich als der unten angegebene Benutzer an, und der Account wird mit diesem Benutzer verknüpft.
ticket-works-once =
    { $count ->
        [one] Das geht einmal, innerhalb von 1 Tag. Eine Ablehnung des Accounts endet.
       *[other] Das geht einmal, innerhalb von { $count } Tagen. Eine Ablehnung des Accounts endet.
    }
ticket-user-hint = Derselbe Benutzer oder ein anderer, wenn die Person zwei hat.
ticket-user-unreadable = Geben Sie die Nummer eines Benutzers an
ticket-user-unknown = Es gibt keinen Benutzer mit dieser Nummer
ticket-user-inactive = Dieser Benutzer ist inaktiv
ticket-issued = Die nächste Anmeldung mit { $provider } { $uid } verknüpft den Account mit Benutzer { $user }, bis { $day }.

## The audit log

activity-log = Audit-Log
activity-caption = Audit-Log, Neuestes zuerst
activity-export-hint = Die gefilterten Einträge, als Datenstrom. Wird im Audit-Log vermerkt.
activity-entries =
    { $count ->
        [one] 1 Eintrag
       *[other] { $count } Einträge
    }
activity-no-match-hint = Kein Eintrag im Audit-Log passt zu diesen Filtern.
activity-empty = Noch nichts
activity-empty-hint = Jeder eingereichte Nachweis und alles, was das Team tut, wird hier vermerkt, sobald es geschieht.
activity-what = Was
activity-who = Wer
activity-whom = Wen
activity-why = Warum
activity-when = Wann
activity-any = Alle
# A filter and what is chosen.
activity-chosen = { $filter }: { $value }
activity-all-staff = Alle Mitarbeiter
activity-api-clients = API-Clients
activity-users = Benutzer selbst
activity-nobody-known = Niemand Bekanntes
activity-first-day = Erster Tag (UTC)
activity-last-day = Letzter Tag (UTC)
activity-since = Seit { $from }
activity-until = Bis { $to }
activity-from-to = { $from } bis { $to }
activity-unreadable-entry = { $name } ist nicht lesbar. Es sollte die ID eines Eintrags sein.
activity-unreadable-user = { $name } ist nicht lesbar. Es sollte die ID eines Benutzers sein.
activity-unreadable-provider = { $name } ist nicht lesbar. Es sollte ein einziger Anbieter sein.
activity-unreadable-actor-id = { $name } ist nicht lesbar. Es sollte staff:3 sein.
activity-unreadable-actor = { $name } ist nicht lesbar. Es sollte staff, staff:3, user oder eine andere Art sein.
activity-unreadable-day = { $name } ist nicht lesbar. Es sollte ein Tag wie 2026-11-23 sein.
activity-older-or-newer = Eine Seite ist entweder älter oder neuer als ein Eintrag, nicht beides.
activity-entry-title = Eintrag im Audit-Log
activity-entry = Eintrag { $id }
activity-uid = Uid beim Anbieter
activity-address = Adresse
activity-address-not-known = nicht bekannt
activity-request = Anfrage
activity-action = Aktion
activity-before-and-after = Vorher und nachher
activity-before-and-after-table = Tabelle der Werte vorher und nachher
activity-before = Vorher
activity-after = Nachher
activity-detail = Details

## Devices

device-unknown = Unbekanntes Gerät
device-browser-on = { $browser } auf { $system }
