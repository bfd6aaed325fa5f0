// google-provider-schema.json in, what Terraform calls a provider's schema out. Called by main.go.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

type attributeFile struct {
	Flags []string        `json:"flags"`
	Type  json.RawMessage `json:"type"`
}

func (attribute attributeFile) is(flag string) bool { return slices.Contains(attribute.Flags, flag) }

type blockFile struct {
	Attributes map[string]attributeFile `json:"attributes"`
	Blocks     map[string]blockFile     `json:"blocks"`
	Nesting    string                   `json:"nesting"`
	Min        int64                    `json:"min"`
	Max        int64                    `json:"max"`
}

type schemaFile struct {
	DataSources map[string]blockFile `json:"data_sources"`
	Resources   map[string]blockFile `json:"resources"`
}

func readSchema(path string) (*schemaFile, error) {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file schemaFile
	return &file, json.Unmarshal(bytes, &file)
}

func schemaOf(block blockFile) (*tfprotov5.Schema, error) {
	made, err := blockOf(block)
	return &tfprotov5.Schema{Block: made}, err
}

func blockOf(block blockFile) (*tfprotov5.SchemaBlock, error) {
	made := &tfprotov5.SchemaBlock{}
	for name, attribute := range block.Attributes {
		of, err := typeOf(attribute.Type)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		made.Attributes = append(made.Attributes, &tfprotov5.SchemaAttribute{
			Name: name, Type: of,
			Required: attribute.is("required"), Optional: attribute.is("optional"), Computed: attribute.is("computed"),
			Sensitive: attribute.is("sensitive"), WriteOnly: attribute.is("write_only"), Deprecated: attribute.is("deprecated"),
		})
	}
	for name, nested := range block.Blocks {
		inner, err := blockOf(nested)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		nesting := tfprotov5.SchemaNestedBlockNestingModeList
		if nested.Nesting == "set" {
			nesting = tfprotov5.SchemaNestedBlockNestingModeSet
		}
		made.BlockTypes = append(made.BlockTypes, &tfprotov5.SchemaNestedBlock{TypeName: name, Block: inner, Nesting: nesting, MinItems: nested.Min, MaxItems: nested.Max})
	}
	return made, nil
}

// "string", ["list","string"] or ["list",["object",{…}]].
func typeOf(raw json.RawMessage) (tftypes.Type, error) {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		return map[string]tftypes.Type{"string": tftypes.String, "number": tftypes.Number, "bool": tftypes.Bool, "dynamic": tftypes.DynamicPseudoType}[name], nil
	}
	var pair []json.RawMessage
	if err := json.Unmarshal(raw, &pair); err != nil || len(pair) != 2 {
		return nil, fmt.Errorf("not a type: %s", raw)
	}
	if err := json.Unmarshal(pair[0], &name); err != nil {
		return nil, err
	}
	if name == "object" {
		fields := map[string]json.RawMessage{}
		if err := json.Unmarshal(pair[1], &fields); err != nil {
			return nil, err
		}
		types := map[string]tftypes.Type{}
		for field, of := range fields {
			made, err := typeOf(of)
			if err != nil {
				return nil, err
			}
			types[field] = made
		}
		return tftypes.Object{AttributeTypes: types}, nil
	}
	inner, err := typeOf(pair[1])
	if err != nil {
		return nil, err
	}
	switch name {
	case "list":
		return tftypes.List{ElementType: inner}, nil
	case "set":
		return tftypes.Set{ElementType: inner}, nil
	case "map":
		return tftypes.Map{ElementType: inner}, nil
	}
	return nil, fmt.Errorf("not a type: %s", raw)
}
