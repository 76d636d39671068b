// Command reference writes the reference page of the built-in restricted list, from the
// list itself and from the comments on sources above each vendor.
package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"embargo.dev/policies/catalog"
)

//go:embed restricted-list.md.tmpl
var page string

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: reference FOLDER-OF-VENDORS PAGE")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// write writes the page. The folder has the vendors' files, for their comments.
func write(folder, path string) error {
	list, err := catalog.Vendors()
	if err != nil {
		return err
	}
	var all contents
	for i := range list {
		text, err := os.ReadFile(filepath.Join(folder, list[i].Name+".yaml"))
		if err != nil {
			return err
		}
		v, err := newVendor(&list[i], string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", list[i].Name, err)
		}
		all.Vendors = append(all.Vendors, v)
	}
	if all.Audiences, err = audiencesOf(all.Vendors); err != nil {
		return err
	}
	layout, err := template.New("page").Funcs(template.FuncMap{"cell": cell}).Parse(page)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := layout.Execute(&text, all); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644) // documentation
}
