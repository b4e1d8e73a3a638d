"""Settings: the only reader of the environment. Each field has a line in docs/settings.md."""

import secrets
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from iafa.durable import Durability, write_private
from iafa.errors import WrongUsage

SECRET_BYTES_MIN = 32


def _named(name: str) -> AliasChoices:
    """The user's names stay as they are; the same with the prefix works too."""
    return AliasChoices(name, f"IAFA_{name}")


class Settings(BaseSettings):
    """One instance is made at start by the command and handed down; nothing reads it from a module."""

    model_config = SettingsConfigDict(env_prefix="IAFA_", env_file=".env", extra="ignore", populate_by_name=True)

    data_dir: Path = Field(Path("data"), validation_alias=_named("DATA_DIR"))
    storage_type: Literal["local"] = Field("local", validation_alias=_named("STORAGE_TYPE"))
    secret_key: str = Field("", validation_alias=_named("SECRET_KEY"))
    jwt_algorithm: Literal["HS256", "HS384", "HS512"] = Field("HS256", validation_alias=_named("JWT_ALGORITHM"))
    jwt_expiration_hours: int = Field(24, ge=1, le=24 * 90, validation_alias=_named("JWT_EXPIRATION_HOURS"))
    cors_origins: Annotated[list[str], NoDecode] = Field([], validation_alias=_named("CORS_ORIGINS"))
    environment: Literal["development", "production"] = Field("development", validation_alias=_named("ENVIRONMENT"))
    api_host: str = Field("127.0.0.1", validation_alias=_named("API_HOST"))
    api_port: int = Field(8000, ge=0, le=65535, validation_alias=_named("API_PORT"))
    use_redis: bool = Field(False, validation_alias=_named("USE_REDIS"))
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0", pattern=r"^(rediss?|unix)://", validation_alias=_named("REDIS_URL")
    )
    event_buffer_size: int = Field(100_000, ge=1, validation_alias=_named("EVENT_BUFFER_SIZE"))
    event_flush_interval: float = Field(60.0, gt=0, validation_alias=_named("EVENT_FLUSH_INTERVAL"))

    failpoint: str = ""
    workers: int = Field(1, ge=1, le=64)
    registration: Literal["open", "invite", "closed"] = "open"
    shares: bool = True
    docs: bool = True
    metrics: Literal["off", "local", "public"] = "local"
    trusted_proxies: Annotated[list[str], NoDecode] = []
    public_url: str = ""
    durability: str = "sync"
    disk_free_min_mb: int = Field(256, ge=0)
    journal_segment_bytes_max: int = Field(64 * 1024 * 1024, ge=4096)
    journal_bytes_max: int = Field(4 * 1024**3, ge=1024 * 1024)
    upload_bytes_max: int = Field(1024**3, ge=1024)
    compact_interval_s: float = Field(30.0, gt=0)
    compact_parts_min: int = Field(8, ge=2, le=90)
    compact_memory_mb: int = Field(512, ge=64)
    dedup_window_days: int = Field(7, ge=1, le=366)
    quarantine_rows_max: int = Field(10_000, ge=0)
    trash_grace_s: float = Field(600.0, gt=0)
    retention_interval_s: float = Field(86_400.0, ge=0)
    archive_dir: str = ""
    geoip_database: str = ""
    webhook_private: bool = False
    query_timeout_s: float = Field(30.0, gt=0)
    query_memory_mb: int = Field(1024, ge=128)
    query_threads: int = Field(2, ge=1, le=64)
    query_concurrency: int = Field(4, ge=1, le=64)

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("data_dir", mode="before")
    @classmethod
    def _not_here(cls, value: object) -> object:
        if value == "":
            raise ValueError("DATA_DIR is empty, which would be the working directory: name a folder, or unset it")
        return value

    @field_validator("durability")
    @classmethod
    def _known_durability(cls, value: str) -> str:
        return Durability.of(value).name

    def checked(self) -> "Settings":
        """Refuse combinations that break a promise (see docs/reliability.md)."""
        if self.trash_grace_s <= self.query_timeout_s:
            raise WrongUsage(
                "IAFA_TRASH_GRACE_S must be longer than IAFA_QUERY_TIMEOUT_S: a running query needs its files"
            )
        if self.environment == "production" and self.failpoint:
            raise WrongUsage("IAFA_FAILPOINT is for tests and must not be set in production")
        if self.environment == "production" and len(self.secret_key.encode()) < SECRET_BYTES_MIN:
            raise WrongUsage(
                f"SECRET_KEY is missing or shorter than {SECRET_BYTES_MIN} bytes; make one with `openssl rand -hex 32`"
            )
        return self

    def secret(self) -> str:
        """The signing secret: the setting's, else one made once and kept in the data directory (0600)."""
        if self.secret_key:
            if len(self.secret_key.encode()) < SECRET_BYTES_MIN:
                raise WrongUsage(
                    f"SECRET_KEY is shorter than {SECRET_BYTES_MIN} bytes; make one with `openssl rand -hex 32`"
                )
            return self.secret_key
        path = self.data_dir / "config" / "secret_key"
        if not path.exists():
            write_private(path, secrets.token_hex(SECRET_BYTES_MIN).encode())
        return path.read_text().strip()
