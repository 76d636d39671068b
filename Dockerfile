# The controller: one static program and the CA certificates, run by nobody.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS TARGETARCH VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY policies policies
COPY webhook webhook
COPY cmd cmd
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath \
    -ldflags "-s -w -X embargo.dev/cmd/embargo/internal/app.version=$VERSION" \
    -o /embargo ./cmd/embargo

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /embargo /embargo
# The controller keeps a certificate in a temporary folder: mount an emptyDir on /tmp.
USER 65532:65532
ENTRYPOINT ["/embargo"]
