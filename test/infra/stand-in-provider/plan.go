// What the real provider fills in: while planning, a computed attribute that nobody set is unknown, except where Google's provider knows
// it; after an apply it has some value. Called by main.go.
package main

import (
	"fmt"
	"math/big"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

const projectNumber = 123456789012

// Computed attributes without a value become unknown. What an earlier apply found out is kept by Terraform itself.
func withUnknowns(block blockFile, value tftypes.Value) (tftypes.Value, error) {
	return walk(block, value, func(_ string, attribute attributeFile, old tftypes.Value) tftypes.Value {
		if attribute.is("computed") && old.IsNull() {
			return tftypes.NewValue(old.Type(), tftypes.UnknownValue)
		}
		return old
	})
}

// What an apply would find out. Values only have to be of the right type, and to look like what they are where other things name them.
func withValues(block blockFile, typeName string, value tftypes.Value) (tftypes.Value, error) {
	return walk(block, value, func(name string, attribute attributeFile, old tftypes.Value) tftypes.Value {
		if attribute.is("write_only") {
			return tftypes.NewValue(old.Type(), nil)
		}
		if old.IsKnown() {
			return old
		}
		switch {
		case name == "project_number":
			return tftypes.NewValue(tftypes.Number, big.NewFloat(projectNumber))
		case name == "uri" || name == "url":
			return tftypes.NewValue(tftypes.String, "https://function.a.run.app")
		case old.Type().Is(tftypes.String):
			return tftypes.NewValue(tftypes.String, fmt.Sprintf("made/%s/%s", typeName, name))
		case old.Type().Is(tftypes.Number):
			return tftypes.NewValue(tftypes.Number, big.NewFloat(1))
		case old.Type().Is(tftypes.Bool):
			return tftypes.NewValue(tftypes.Bool, false)
		}
		return tftypes.NewValue(old.Type(), nil)
	})
}

// Google's provider tells the address of a service account, and the project of everything, before they are made.
func withWhatIsKnown(typeName, project string, value tftypes.Value) (tftypes.Value, error) {
	fields := map[string]tftypes.Value{}
	if err := value.As(&fields); err != nil {
		return value, err
	}
	if old, has := fields["project"]; has && !old.IsKnown() && project != "" {
		fields["project"] = tftypes.NewValue(tftypes.String, project)
	}
	if typeName == "google_service_account" {
		var account, in string
		if fields["account_id"].IsFullyKnown() && fields["project"].IsFullyKnown() && fields["account_id"].As(&account) == nil && fields["project"].As(&in) == nil {
			email := fmt.Sprintf("%s@%s.iam.gserviceaccount.com", account, in)
			fields["email"] = tftypes.NewValue(tftypes.String, email)
			fields["member"] = tftypes.NewValue(tftypes.String, "serviceAccount:"+email)
		}
	}
	return tftypes.NewValue(value.Type(), fields), nil
}

func walk(block blockFile, value tftypes.Value, change func(string, attributeFile, tftypes.Value) tftypes.Value) (tftypes.Value, error) {
	if value.IsNull() || !value.IsKnown() {
		return value, nil
	}
	fields := map[string]tftypes.Value{}
	if err := value.As(&fields); err != nil {
		return value, err
	}
	for name, attribute := range block.Attributes {
		fields[name] = change(name, attribute, fields[name])
	}
	for name, nested := range block.Blocks {
		if fields[name].IsNull() || !fields[name].IsKnown() {
			continue
		}
		items := []tftypes.Value{}
		if err := fields[name].As(&items); err != nil {
			return value, err
		}
		for index, item := range items {
			changed, err := walk(nested, item, change)
			if err != nil {
				return value, err
			}
			items[index] = changed
		}
		fields[name] = tftypes.NewValue(fields[name].Type(), items)
	}
	return tftypes.NewValue(value.Type(), fields), nil
}
