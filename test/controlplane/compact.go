package controlplane

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Compact has etcd forget all versions of what is stored but the latest. A watch, or a
// listing page by page, that goes on from an earlier version has nothing to go on from.
func (c *ControlPlane) Compact(ctx context.Context) error {
	var latest struct {
		Header struct{ Revision json.Number }
	}
	if err := c.askEtcd(ctx, "range", map[string]any{"key": []byte{0}}, &latest); err != nil {
		return fmt.Errorf("asking etcd for its revision: %w", err)
	}
	var done struct{}
	if err := c.askEtcd(ctx, "compaction", map[string]any{"revision": latest.Header.Revision, "physical": true}, &done); err != nil {
		return fmt.Errorf("compacting etcd at revision %s: %w", latest.Header.Revision, err)
	}
	return nil
}

// askEtcd calls a method of etcd's key-value service by its HTTP gateway.
func (c *ControlPlane) askEtcd(ctx context.Context, method string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, localURL("http", c.etcdPort)+"/v3/kv/"+method, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // read only
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd answers %s", response.Status)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
