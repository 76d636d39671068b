package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// stage is the last stage of a Dockerfile: what the image is.
type stage struct {
	user       string
	entrypoint []string
	labels     map[string]string
	files      map[string]string // path in the image → path in the stage before
}

// readStage reads the last stage with the given arguments. Whatever it doesn't know is an
// error: the image would differ from what the Dockerfile says.
func readStage(dockerfile io.Reader, args map[string]string) (*stage, error) {
	parsed, err := parser.Parse(dockerfile)
	if err != nil {
		return nil, err
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, err
	}
	last := stages[len(stages)-1]
	if last.BaseName != "scratch" {
		return nil, fmt.Errorf("the last stage is FROM %s, want scratch", last.BaseName)
	}
	s := &stage{labels: map[string]string{}, files: map[string]string{}}
	known := map[string]string{}
	for _, command := range last.Commands {
		if err := s.take(command, args, known); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *stage) take(command instructions.Command, args, known map[string]string) error {
	switch command := command.(type) {
	case *instructions.ArgCommand:
		for _, arg := range command.Args {
			if arg.Value != nil {
				known[arg.Key] = *arg.Value
			}
			if given, ok := args[arg.Key]; ok {
				known[arg.Key] = given
			}
		}
	case *instructions.LabelCommand:
		for _, label := range command.Labels {
			value, err := strconv.Unquote(label.Value)
			if err != nil {
				return fmt.Errorf("label %s: want its value in quotes: %w", label.Key, err)
			}
			s.labels[label.Key] = os.Expand(value, func(name string) string { return known[name] })
		}
	case *instructions.CopyCommand:
		if command.From == "" || len(command.SourcePaths) != 1 {
			return fmt.Errorf("%s: want one file of the stage before", command)
		}
		s.files[command.DestPath] = command.SourcePaths[0]
	case *instructions.UserCommand:
		s.user = command.User
	case *instructions.EntrypointCommand:
		s.entrypoint = command.CmdLine
	default:
		return fmt.Errorf("%s is not known here", command.Name())
	}
	return nil
}
