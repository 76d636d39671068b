# The controller: one static program, run by an unprivileged user. It has no CA certificates:
# the controller trusts the API server by the CA that its kubeconfig or service account names.
#
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=… --build-arg REVISION=… \
#     --build-arg SOURCE_DATE_EPOCH=… --build-arg CREATED=… .
#
# make image makes the same image without Docker and without a registry: it reads the last
# stage below. GO_IMAGE may name another image with Go. The same Go as go.mod's toolchain line
# gives the same program.
ARG GO_IMAGE=golang:1.26.8
FROM --platform=$BUILDPLATFORM $GO_IMAGE AS build
ARG TARGETOS TARGETARCH VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY internal internal
COPY policies policies
COPY webhook webhook
COPY audit audit
COPY cmd cmd
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X embargo.dev/cmd/embargo/internal/app.version=$VERSION" \
    -o /embargo ./cmd/embargo

FROM scratch
ARG VERSION=dev REVISION=unknown CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="embargo" \
      org.opencontainers.image.description="Keeps container images of restricted vendors out of a Kubernetes cluster, on the dates that the law sets" \
      org.opencontainers.image.url="https://embargo.dev" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
COPY --from=build /embargo /embargo
# The controller keeps a certificate in a temporary folder: mount an emptyDir on /tmp.
USER 65532:65532
ENTRYPOINT ["/embargo"]
