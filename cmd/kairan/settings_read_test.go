package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"kairan/list"
)

// TestEverySettingIsRead: a setting that no code reads is a defect. Giving it a default and checking it is not reading it.
func TestEverySettingIsRead(t *testing.T) {
	t.Parallel()
	read := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && !onlyKeeps(f.Name.Name) {
				selected(f, read)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	fields := reflect.VisibleFields(reflect.TypeFor[list.Settings]())
	if len(fields) < 50 {
		t.Fatalf("only %d settings", len(fields))
	}
	for _, f := range fields {
		if !read[f.Name] {
			t.Errorf("no code reads the setting %s", f.Tag.Get("json"))
		}
	}
}

// onlyKeeps reports whether a function of that name is about settings themselves.
func onlyKeeps(name string) bool {
	for _, prefix := range []string{"default", "Default", "check", "Check", "StyleSettings"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// selected notes the names that a function takes of something. What it only writes to does not count.
func selected(f *ast.FuncDecl, read map[string]bool) {
	written := map[ast.Expr]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok && a.Tok == token.ASSIGN {
			for _, left := range a.Lhs {
				written[left] = true
			}
		}
		if s, ok := n.(*ast.SelectorExpr); ok && !written[s] {
			read[s.Sel.Name] = true
		}
		return true
	})
}
