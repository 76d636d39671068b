package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"embargo.dev/cmd/kubectl-embargo/internal/importer"
)

// listImport drafts RestrictedVendors from a public screening list.
type listImport struct {
	genericiooptions.IOStreams
	shortfall

	from      string
	alt       string
	add       string
	comments  string
	all       bool
	outputDir string
	run       importer.Import
}

const listImportExamples = `  # Companies on the Consolidated Screening List with a name in theirs
  %[1]s list import --from csl --name "Example Antivirus" consolidated.json

  # All companies on the Entity List, a file each
  %[1]s list import --from csl --source EL --output-dir drafts/ consolidated.csv

  # A programme of OFAC's list, with the alternate names and addresses beside it
  %[1]s list import --from ofac --programme RUSSIA-EO14024 --alt ALT.CSV --add ADD.CSV SDN.CSV

  # A programme of an OpenSanctions dataset, from standard input
  %[1]s list import --from opensanctions --programme US-MCCAIN-889 - < targets.simple.csv`

func newListImport(program string, streams genericiooptions.IOStreams) *cobra.Command {
	c := &listImport{IOStreams: streams}
	cmd := &cobra.Command{
		Use:   "import [--from csl|ofac|opensanctions] FILE|URL|-",
		Short: "Draft RestrictedVendors from a public screening list",
		Long: `Draft RestrictedVendors from a public screening list: the U.S. Consolidated Screening
List (csl: JSON or CSV), OFAC's Specially Designated Nationals (ofac: XML or CSV) or an
OpenSanctions dataset (opensanctions: targets.simple.csv).

A draft has what the list says: names, list or programme, source, date. No list names an
image, says who is bound, or what to do about it. So a draft recognises nothing and is not
valid until a person has completed it; list validate names what is missing. Natural persons
are left out, and so are entries of which the list doesn't say what they are and whose names
show no company (--include-unclear takes these).

Of one selecting flag any value may fit; with several flags each has to.

Exit codes: 0 the whole list was read, 2 bad usage, or rows that can't be read (each is named
on standard error, and the rest is still imported), 3 something that can't be reached.`,
		Example: fmt.Sprintf(listImportExamples, program),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("want one file or URL with a list, or - for standard input; see --help")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.validate(args[0]); err != nil {
				return err
			}
			return c.read(cmd.Context(), args[0])
		},
	}
	c.flags(cmd)
	return cmd
}

func (c *listImport) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	addChoiceFlag(cmd, &c.from, "from", "", "", "what list it is: "+strings.Join(importer.Formats, ", ")+"; default what it looks like", importer.Formats)
	f.StringVar(&c.alt, "alt", "", "ALT.CSV, with the alternate names to SDN.CSV")
	f.StringVar(&c.add, "add", "", "ADD.CSV, with the addresses to SDN.CSV, which --country needs")
	f.StringVar(&c.comments, "comments", "", "SDN_COMMENTS.CSV, with what the remarks of SDN.CSV had no room for")
	f.StringArrayVar(&c.run.Names, "name", nil, "take companies with this in their name or an alias")
	f.StringSliceVar(&c.run.Programmes, "programme", nil, "take companies of this programme, such as RUSSIA-EO14024 or US-BIS-EL")
	f.StringSliceVar(&c.run.Sources, "source", nil, "take companies on this list, such as EL, SDN or FCC Covered List")
	f.StringSliceVar(&c.run.Countries, "country", nil, "take companies of this country, as the list writes it: RU (csl, opensanctions) or Russia (ofac)")
	f.BoolVar(&c.all, "all", false, "take all companies")
	f.BoolVar(&c.run.Unclear, "include-unclear", false, "also take entries that may be about natural persons: look at each")
	f.StringVar(&c.outputDir, "output-dir", "", "folder to write a file a vendor to, instead of standard output")
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "program" { // as Americans write it
			name = "programme"
		}
		return pflag.NormalizedName(name)
	})
}

// validate checks the usage.
func (c *listImport) validate(source string) error {
	side := c.alt != "" || c.add != "" || c.comments != ""
	if side && c.from == "" {
		c.from = "ofac"
	}
	switch {
	case c.from != "" && !slices.Contains(importer.Formats, c.from):
		return fmt.Errorf("--from %q: want one of %s", c.from, strings.Join(importer.Formats, ", "))
	case side && c.from != "ofac":
		return errors.New("--alt, --add and --comments go with --from ofac")
	case c.run.Empty() && !c.all:
		return errors.New("say which companies are wanted: --name, --programme, --source or --country, or --all")
	case !c.run.Empty() && c.all:
		return errors.New("--all takes every company: leave it out, or --name, --programme, --source and --country")
	}
	return readOnce([]string{source, c.alt, c.add, c.comments})
}

func (c *listImport) read(ctx context.Context, source string) error {
	var side importer.Side
	for _, s := range []struct {
		source string
		file   **importer.File
	}{{c.alt, &side.Alt}, {c.add, &side.Add}, {c.comments, &side.Comments}} {
		if s.source == "" {
			continue
		}
		file, in, err := importer.Open(ctx, s.source, c.In)
		if err != nil {
			return c.cannot(err)
		}
		defer in.Close() //nolint:errcheck // read only
		*s.file = &file
	}
	file, in, err := importer.Open(ctx, source, c.In)
	if err != nil {
		return c.cannot(err)
	}
	defer in.Close() //nolint:errcheck // read only
	if c.from == "" {
		if c.from, err = importer.Detect(&file); err != nil {
			return c.cannot(err)
		}
	}
	write, err := c.writer()
	if err != nil {
		return err
	}
	uninterrupted := func(d *importer.Draft) error { return cmp.Or(ctx.Err(), write(d)) }
	c.run.Bad = func(b *importer.BadRow) { _ = c.cannot(b) }
	c.run.Notice = func(text string) { c.notice("%s", text) }
	if err := c.run.Run(c.from, file, side, uninterrupted); err != nil {
		if _, unread := errors.AsType[*importer.BadRow](err); !unread {
			return err
		}
		if c.run.Count.Read > 0 {
			err = fmt.Errorf("%w: the rest is not read", err)
		}
		_ = c.cannot(err)
	}
	c.sum()
	return c.exit()
}

// cannot tells what can't be read, and returns the exit code for it.
func (c *listImport) cannot(err error) error {
	fmt.Fprintf(c.ErrOut, "error: %v\n", err)
	c.mark(err)
	return c.exit()
}

func (c *listImport) notice(format string, args ...any) {
	fmt.Fprintf(c.ErrOut, "notice: "+format+"\n", args...)
}

// writer writes drafts to standard output, or each to a file. A file that is there is
// left as it is: somebody may have completed it.
func (c *listImport) writer() (func(*importer.Draft) error, error) {
	if c.outputDir == "" {
		return func(d *importer.Draft) error {
			text, err := d.YAML()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.Out, "---\n%s", text)
			return err
		}, nil
	}
	if err := os.MkdirAll(c.outputDir, 0o777); err != nil {
		return nil, fmt.Errorf("--output-dir: %w", err)
	}
	return func(d *importer.Draft) error {
		text, err := d.YAML()
		if err != nil {
			return err
		}
		err = writeNew(filepath.Join(c.outputDir, d.Name+".yaml"), text)
		if errors.Is(err, os.ErrExist) {
			_ = c.cannot(fmt.Errorf("%w: it is left as it is", err))
			return nil
		}
		return err
	}, nil
}

func writeNew(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	if _, err := file.Write(text); err != nil {
		file.Close() //nolint:errcheck // there is an error to tell already
		return err
	}
	return file.Close()
}

// sum says what became of the rows.
func (c *listImport) sum() {
	n := c.run.Count
	c.notice("entries read: %d; taken: %d, into %d drafts", n.Read, n.Selected, n.Drafts)
	if n.Persons > 0 {
		c.notice("natural persons left out: %d", n.Persons)
	}
	if n.Others > 0 {
		c.notice("ships, aircraft and others that are no companies left out: %d", n.Others)
	}
	if n.Unclear > 0 {
		done := "left out (--include-unclear takes them)"
		if c.run.Unclear {
			done = "taken (look at each)"
		}
		places := strings.Join(n.UnclearAt, ", ")
		if n.Unclear > len(n.UnclearAt) {
			places += ", …"
		}
		c.notice("entries that may be about natural persons, for the list doesn't say what they are, %s: %d (%s)", done, n.Unclear, places)
	}
	if n.Crowded > 0 {
		c.notice("entries left out because there are a thousand of the same company: %d", n.Crowded)
	}
	if n.Bad > 0 {
		c.notice("rows that can't be read: %d", n.Bad)
	}
	if n.Drafts > 0 {
		c.notice("the drafts recognise no image and are to be completed by a person; list validate names what is missing")
	}
}
