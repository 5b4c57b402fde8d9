# For a registry, both architectures at once, each image with its provenance and the list of what is in it (SBOM):
#   VERSION=1.0.0 REGISTRY=registry.example.com docker buildx bake --file deploy/docker/docker-bake.hcl --push
# in the project's folder. Without --push nothing is kept, for an engine's own store may not hold both.

variable "REGISTRY" {
  default = "registry.example.com"
}

variable "VERSION" {
  default = "unknown"
}

variable "REVISION" {
  default = "unknown"
}

variable "CREATED" {
  default = "unknown"
}

# The project's address, for a label; empty for no such label.
variable "SOURCE" {
  default = ""
}

group "default" {
  targets = ["janitor", "dask", "lambda"]
}

target "shared" {
  context    = "."
  dockerfile = "deploy/docker/Dockerfile"
  platforms  = ["linux/amd64", "linux/arm64"]
  attest     = ["type=provenance,mode=max", "type=sbom"]
  args = {
    VERSION  = VERSION
    REVISION = REVISION
    CREATED  = CREATED
  }
  labels = SOURCE == "" ? {} : { "org.opencontainers.image.source" = SOURCE }
}

target "janitor" {
  inherits = ["shared"]
  target   = "janitor"
  tags     = ["${REGISTRY}/token-janitor:${VERSION}"]
}

target "dask" {
  inherits = ["shared"]
  target   = "dask"
  tags     = ["${REGISTRY}/token-janitor:${VERSION}-dask"]
}

# Lambda takes an image of one architecture, and no list of several.
target "lambda" {
  inherits  = ["shared"]
  target    = "lambda"
  platforms = ["linux/amd64"]
  attest    = ["type=provenance,disabled=true", "type=sbom,disabled=true"]
  tags      = ["${REGISTRY}/token-janitor:${VERSION}-lambda"]
}
