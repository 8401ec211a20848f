"""Django's settings; a laptop needs none of them set (docs/configuration.md lists them all)."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import gettext_lazy as _

from farm import env
from farm.databases import database

BASE_DIR = Path(__file__).resolve().parent.parent
FARM_DATA = env.own_folder(env.data_folder())

DEBUG = env.flag("DEBUG", default=True)
SECRET_KEY = env.kept_secret("SECRET_KEY", FARM_DATA / "secrets" / "secret_key")
FIELD_KEYS = env.words("FIELD_KEYS") or [
    env.kept_secret("FIELD_KEY", FARM_DATA / "secrets" / "field_key")
]

# Until the set-up page has its answers nothing else is served; a lab is one only if it says so.
SETTING_UP = env.setting_up()
LAB = env.flag("LAB")

PORT = env.number("PORT", 8000)
SITE_URL = env.text("SITE_URL", f"http://localhost:{PORT}").rstrip("/")
AGENTS_DOMAIN = env.text("AGENTS_DOMAIN", "agents.localhost")
TUNNEL_PORT = env.number("TUNNEL_PORT", PORT + 1)
# "sandbox" is this machine, as the sandbox's machines see it.
EDGE_ADDRESSES = [
    env.text("SANDBOX_HOST_ADDRESS") if address == "sandbox" else address
    for address in env.words("EDGE_ADDRESSES")
]
EDGE = bool(EDGE_ADDRESSES)
AGENT_URL = env.text(
    "AGENT_URL",
    f"https://{{host}}.{AGENTS_DOMAIN}"
    if EDGE
    else f"http://{{host}}.{AGENTS_DOMAIN}:{TUNNEL_PORT}",
).rstrip("/")
ALLOWED_HOSTS = ["*"] if SETTING_UP else env.words("ALLOWED_HOSTS", "localhost,127.0.0.1")
if EDGE:
    # Caddy asks here whether a host is an agent's; to visitors it shows this machine by no address.
    ALLOWED_HOSTS.append("127.0.0.1")
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_URL.startswith("https://") else []

# Who may come: anybody who proves an address, or only invited people.
SIGN_UP = env.choice("SIGN_UP", "open" if DEBUG else "invited", ("open", "invited"))
AGENTS_PER_PERSON = env.number("AGENTS_PER_PERSON", 5)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "farm.accounts",
    "farm.billing",
    "farm.agents",
    "farm.api",
    "farm.web",
    "farm.ops",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "farm.web.middleware.OwnErrors",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "farm.web.middleware.ContentSecurity",
]
ROOT_URLCONF = "farm.web.set_up_urls" if SETTING_UP else "farm.urls"
WSGI_APPLICATION = "farm.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates" / "html", BASE_DIR / "templates" / "email"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "farm.web.context.sandbox",
                "farm.web.context.standing",
            ]
        },
    }
]

DATABASES = {"default": dict(database(env.text("DATABASE_URL"), FARM_DATA))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "farm.accounts.passwords.GoodPassword"}]

# People come in with a code sent by mail; a password is possible, never asked for.
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "agents"
LOGOUT_REDIRECT_URL = "landing"
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "dashed": False, "length": 6}
ACCOUNT_ADAPTER = "farm.web.entrance.Adapter"
ACCOUNT_FORMS = {
    "add_email": "farm.web.account_forms.AddEmailForm",
    "change_password": "farm.web.account_forms.ChangePasswordForm",
    "login": "farm.web.entrance.LoginForm",
    "reset_password": "farm.web.account_forms.ResetPasswordForm",
    "reset_password_from_key": "farm.web.account_forms.ResetPasswordKeyForm",
    "set_password": "farm.web.account_forms.SetPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_CHANGE = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_SESSION_REMEMBER = True

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "farm" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = FARM_DATA / "static"

EMAIL_HOST = env.text("EMAIL_HOST", "127.0.0.1")
EMAIL_PORT = env.number("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS")
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "farm@localhost")

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SITE_URL.startswith("https://")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if SESSION_COOKIE_SECURE:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "farm.api.errors.answer_to",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Agent farm",
    "DESCRIPTION": "Agents, what happens to them, what they cost, and who is invited.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "farm.api.schema.with_common_answers",
    ],
}
if not DEBUG:
    # Nobody but the proxy on this machine reaches the site's port.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
DEFAULT_EXCEPTION_REPORTER = "farm.web.reports.NothingTold"
CSRF_FAILURE_VIEW = "farm.web.views.errors.csrf_failure"

# The clouds, the models and the chat apps. Endpoints are set by whoever points the farm elsewhere.
HETZNER_TOKEN = env.text("HETZNER_TOKEN")
HETZNER_ENDPOINT = env.text("HETZNER_ENDPOINT", "https://api.hetzner.cloud/v1")
SCALEWAY_ACCESS_KEY = env.text("SCALEWAY_ACCESS_KEY")
SCALEWAY_SECRET_KEY = env.text("SCALEWAY_SECRET_KEY")
SCALEWAY_PROJECT_ID = env.text("SCALEWAY_PROJECT_ID")
SCALEWAY_ENDPOINT = env.text("SCALEWAY_ENDPOINT", "https://api.scaleway.com")
SCALEWAY_ZONES = env.words("SCALEWAY_ZONES", "fr-par-1,fr-par-2,nl-ams-1")
SSH_PORT = env.number("SSH_PORT", 22)
SSH_SOURCES = env.words("SSH_SOURCES", "0.0.0.0/0")
TELEGRAM_ENDPOINT = env.text("TELEGRAM_ENDPOINT", "https://api.telegram.org")
TELEGRAM_MANAGER_TOKEN = env.text("TELEGRAM_MANAGER_TOKEN")
SLACK_ENDPOINT = env.text("SLACK_ENDPOINT", "https://slack.com/api").rstrip("/")
MODEL_ENDPOINTS = {
    provider: endpoint
    for provider in ("anthropic", "openai", "openrouter", "mistral", "google")
    if (endpoint := env.text(f"{provider.upper()}_ENDPOINT"))
}
SANDBOX_MODEL_ENDPOINT = env.text("SANDBOX_MODEL_ENDPOINT")
SANDBOX_MODEL_KEY = env.text("SANDBOX_MODEL_KEY")
SANDBOX_MODEL = env.text("SANDBOX_MODEL")
SANDBOX_MAILBOX_URL = env.text("SANDBOX_MAILBOX_URL")
SANDBOX_CONTROL_URL = env.text("SANDBOX_CONTROL_URL")

# Stripe; without a key this farm takes no money. How often events that never came are fetched.
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRET = env.text("STRIPE_WEBHOOK_SECRET")
STRIPE_API_BASE = env.text("STRIPE_API_BASE").rstrip("/")
VAT_REGIME = env.choice("VAT_REGIME", "top_up", ("top_up", "none"))
STRIPE_ROUND_SECONDS = env.number("STRIPE_ROUND_SECONDS", 24 * 60 * 60)

# Bills of trusted payers: the hour of UTC on the first of a month from which the one before may be
# closed, and how many days there are to pay one by hand.
BILL_HOUR = env.number("BILL_HOUR", 6)
BILL_DAYS = env.number("BILL_DAYS", 14)
# Until so many days after its first payment a payer that pays in advance has one small agent.
FIRST_PAYMENT_DAYS = env.number("FIRST_PAYMENT_DAYS", 7)

# What the farm takes for itself on top of what the clouds charge: percent, and EUR for each machine
# and month.
FEE_PERCENT = env.decimal("FEE_PERCENT", "0")
FEE_MONTHLY = env.decimal("FEE_MONTHLY", "0")

# The accountant's own numbers of the ledger's books: "payer=1400,machines=8400".
JOURNAL_ACCOUNTS = env.words("JOURNAL_ACCOUNTS")

# The edge: how Caddy serves, and how long it may go on without asking the farm again, in seconds.
EDGE_SECRET = env.kept_secret("EDGE_SECRET", FARM_DATA / "secrets" / "edge_secret")
EDGE_BIND = env.text("EDGE_BIND", "127.0.0.1" if DEBUG else "0.0.0.0")  # noqa: S104
EDGE_TLS = env.text("EDGE_TLS", "internal" if DEBUG else "on-demand")
EDGE_CERTIFICATE = env.text("EDGE_CERTIFICATE")
EDGE_CERTIFICATE_KEY = env.text("EDGE_CERTIFICATE_KEY")
EDGE_HTTP_PORT = env.number("EDGE_HTTP_PORT", 80)
EDGE_STREAM_SECONDS = env.number("EDGE_STREAM_SECONDS", 4 * 60)
EDGE_RECHECK_SECONDS = env.number("EDGE_RECHECK_SECONDS", 30)
EDGE_ROUND_SECONDS = env.number("EDGE_ROUND_SECONDS", 60)

# The relay: where it listens on loopback, where machines reach it, and which header of the proxy in
# front of it says who called; "" for none, then the peer itself is who calls.
RELAY_PORT = env.number("RELAY_PORT", PORT + 2)
RELAY_URL = env.text(
    "RELAY_URL", f"http://127.0.0.1:{RELAY_PORT}" if DEBUG else f"{SITE_URL}/relay"
).rstrip("/")
RELAY_CLIENT_HEADER = env.text("RELAY_CLIENT_HEADER")
RELAY_CALLS_PER_MINUTE = env.number("RELAY_CALLS_PER_MINUTE", 60)
RELAY_CALL_SECONDS = env.number("RELAY_CALL_SECONDS", 10 * 60)

# What AI costs in euros; prices are kept in dollars.
USD_EUR = env.text("USD_EUR", "0.90")
AI_UNKNOWN_USD = env.words("AI_UNKNOWN_USD", "15,75")
AI_BUDGET_STEP_EUR = env.number("AI_BUDGET_STEP_EUR", 5)

# Agents' backups: when they are made, how long they are kept, how large one may be, and where they
# go: to this disk, or to S3 once a bucket is named.
BACKUPS = FARM_DATA / "backups"
BACKUP_HOUR = env.number("BACKUP_HOUR", 1)
BACKUP_SPREAD_MINUTES = env.number("BACKUP_SPREAD_MINUTES", 3 * 60)
BACKUP_KEEP_DAYS = env.number("BACKUP_KEEP_DAYS", 14)
BACKUP_AFTER_DELETION_DAYS = env.number("BACKUP_AFTER_DELETION_DAYS", 30)
BACKUP_LIMIT_MB = env.number("BACKUP_LIMIT_MB", 2000)
BACKUP_ROUND_SECONDS = env.number("BACKUP_ROUND_SECONDS", 5 * 60)
FINAL_BACKUP_SECONDS = env.number("FINAL_BACKUP_SECONDS", 15 * 60)
# The farm's backups of itself. Sealed to the public key of age, if there is one: only then do they
# go to S3 too.
FARM_BACKUP_FOLDER = env.folder("FARM_BACKUP_FOLDER", FARM_DATA / "farm-backups")
FARM_BACKUP_KEEP_DAYS = env.number("FARM_BACKUP_KEEP_DAYS", 14)
FARM_BACKUP_RECIPIENT = env.text("FARM_BACKUP_RECIPIENT")
S3_BUCKET = env.text("S3_BUCKET")
S3_ENDPOINT = env.text("S3_ENDPOINT")
S3_REGION = env.text("S3_REGION")
S3_ACCESS_KEY = env.text("S3_ACCESS_KEY")
S3_SECRET_KEY = env.text("S3_SECRET_KEY")

# How long a worker's claim on a row lasts before another may take it over, in seconds; a worker
# that lives renews its claims, so this is how long a crash delays what it was doing.
LEASE_SECONDS = env.number("LEASE_SECONDS", 60)
WORKER_THREADS = env.number("WORKER_THREADS", 8)

# With a broker, Celery's workers and one beat do what the plain loop does. A message is but a bell:
# it may be lost, late or doubled. Turns of conversations and what else takes minutes have a queue
# of their own. Times are in seconds.
BROKER_URL = env.text("BROKER_URL")
LOOK_SECONDS = 2
STEP_SECONDS = 10 * 60
LONG_SECONDS = 60 * 60
CELERY_BROKER_URL = BROKER_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": LONG_SECONDS + 10 * 60,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
}
CELERY_TASK_DEFAULT_QUEUE = "steps"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 8
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "tick": {"task": "farm.tick", "schedule": LOOK_SECONDS, "options": {"expires": LOOK_SECONDS}}
}

# How long the farm waits before it does something else, in seconds.
CLOUD_ANSWER_SECONDS = env.number("CLOUD_ANSWER_SECONDS", 20)
CREATE_DEADLINE_SECONDS = env.number("CREATE_DEADLINE_SECONDS", 15 * 60)
BOOT_DEADLINE_SECONDS = env.number("BOOT_DEADLINE_SECONDS", 6 * 60)
CONFIGURE_DEADLINE_SECONDS = env.number("CONFIGURE_DEADLINE_SECONDS", 10 * 60)
CAPACITY_RETRY_SECONDS = env.number("CAPACITY_RETRY_SECONDS", 5 * 60)
STOP_DEADLINE_SECONDS = env.number("STOP_DEADLINE_SECONDS", 7 * 60)
HALT_DEADLINE_SECONDS = env.number("HALT_DEADLINE_SECONDS", 90)
WAKE_DEADLINE_SECONDS = env.number("WAKE_DEADLINE_SECONDS", 10 * 60)
SETTLE_SECONDS = env.number("SETTLE_SECONDS", 30)
SWEEP_SECONDS = env.number("SWEEP_SECONDS", 3 * 60)
ORPHAN_HOURS = env.number("ORPHAN_HOURS", 24)
# How many machines a project at a cloud may have, as far as its owner knows (0: unknown), and how
# many of those places the pool leaves to members.
CLOUD_MACHINES_MOST = env.number("CLOUD_MACHINES_MOST", 0)
POOL_LEAVES_FREE = env.number("POOL_LEAVES_FREE", 2)
METER_SECONDS = env.number("METER_SECONDS", 5 * 60)
WATCH_SECONDS = env.number("WATCH_SECONDS", 2 * 60)
RESTART_PATIENCE_SECONDS = env.number("RESTART_PATIENCE_SECONDS", 2 * 60)
PAUSE_SECONDS = env.number("PAUSE_SECONDS", 2 * 60)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "WARNING")},
}
