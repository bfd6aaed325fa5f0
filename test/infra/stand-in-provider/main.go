// Stands in for hashicorp/google where that cannot be downloaded: it knows Google's list of resources, attributes and blocks
// (google-provider-schema.json, the one argument's variable below) and no Google. The real Terraform starts it, so that `terraform
// validate`, `plan` and even `apply` say what they would say about names, types and blocks. It checks no values: the real one does.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Path of google-provider-schema.json.
const schemaVariable = "STAND_IN_SCHEMA"

// The part of the provider's own settings that this project uses.
var providerBlock = blockFile{Attributes: map[string]attributeFile{
	"project": optional(`"string"`), "region": optional(`"string"`), "billing_project": optional(`"string"`),
	"user_project_override": optional(`"bool"`), "default_labels": optional(`["map","string"]`),
}}

func optional(of string) attributeFile {
	return attributeFile{Flags: []string{"optional"}, Type: []byte(of)}
}

func main() {
	file, err := readSchema(os.Getenv(schemaVariable))
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s does not name a readable schema: %v\n", schemaVariable, err)
		os.Exit(1)
	}
	err = tf5server.Serve("hashicorp/google", func() tfprotov5.ProviderServer { return &standIn{file: file} })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The embedded interface stands for the calls that Terraform does not make here.
type standIn struct {
	tfprotov5.ProviderServer
	file    *schemaFile
	project string
}

func (s *standIn) GetMetadata(context.Context, *tfprotov5.GetMetadataRequest) (*tfprotov5.GetMetadataResponse, error) {
	response := &tfprotov5.GetMetadataResponse{ServerCapabilities: &tfprotov5.ServerCapabilities{PlanDestroy: true}}
	for name := range s.file.Resources {
		response.Resources = append(response.Resources, tfprotov5.ResourceMetadata{TypeName: name})
	}
	for name := range s.file.DataSources {
		response.DataSources = append(response.DataSources, tfprotov5.DataSourceMetadata{TypeName: name})
	}
	return response, nil
}

func (s *standIn) GetProviderSchema(context.Context, *tfprotov5.GetProviderSchemaRequest) (*tfprotov5.GetProviderSchemaResponse, error) {
	provider, err := schemaOf(providerBlock)
	if err != nil {
		return nil, err
	}
	response := &tfprotov5.GetProviderSchemaResponse{
		Provider: provider, ResourceSchemas: map[string]*tfprotov5.Schema{}, DataSourceSchemas: map[string]*tfprotov5.Schema{},
		ServerCapabilities: &tfprotov5.ServerCapabilities{PlanDestroy: true},
	}
	for name, block := range s.file.Resources {
		if response.ResourceSchemas[name], err = schemaOf(block); err != nil {
			return nil, err
		}
	}
	for name, block := range s.file.DataSources {
		if response.DataSourceSchemas[name], err = schemaOf(block); err != nil {
			return nil, err
		}
	}
	return response, nil
}

func (s *standIn) GetResourceIdentitySchemas(context.Context, *tfprotov5.GetResourceIdentitySchemasRequest) (*tfprotov5.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov5.GetResourceIdentitySchemasResponse{}, nil
}

func (s *standIn) PrepareProviderConfig(_ context.Context, request *tfprotov5.PrepareProviderConfigRequest) (*tfprotov5.PrepareProviderConfigResponse, error) {
	return &tfprotov5.PrepareProviderConfigResponse{PreparedConfig: request.Config}, nil
}

func (s *standIn) ConfigureProvider(_ context.Context, request *tfprotov5.ConfigureProviderRequest) (*tfprotov5.ConfigureProviderResponse, error) {
	value, err := request.Config.Unmarshal(typeOfBlock(providerBlock))
	if err != nil {
		return nil, err
	}
	fields := map[string]tftypes.Value{}
	if err := value.As(&fields); err != nil {
		return nil, err
	}
	if fields["project"].IsFullyKnown() && !fields["project"].IsNull() {
		err = fields["project"].As(&s.project)
	}
	return &tfprotov5.ConfigureProviderResponse{}, err
}

func (s *standIn) StopProvider(context.Context, *tfprotov5.StopProviderRequest) (*tfprotov5.StopProviderResponse, error) {
	return &tfprotov5.StopProviderResponse{}, nil
}

// Names, types, required and conflicting arguments are checked by Terraform itself, with our schema.
func (s *standIn) ValidateResourceTypeConfig(context.Context, *tfprotov5.ValidateResourceTypeConfigRequest) (*tfprotov5.ValidateResourceTypeConfigResponse, error) {
	return &tfprotov5.ValidateResourceTypeConfigResponse{}, nil
}

func (s *standIn) ValidateDataSourceConfig(context.Context, *tfprotov5.ValidateDataSourceConfigRequest) (*tfprotov5.ValidateDataSourceConfigResponse, error) {
	return &tfprotov5.ValidateDataSourceConfigResponse{}, nil
}

// A data source asks Google, and there is none.
func (s *standIn) ReadDataSource(_ context.Context, request *tfprotov5.ReadDataSourceRequest) (*tfprotov5.ReadDataSourceResponse, error) {
	return &tfprotov5.ReadDataSourceResponse{Diagnostics: []*tfprotov5.Diagnostic{{
		Severity: tfprotov5.DiagnosticSeverityError, Summary: "A data source asks Google while planning",
		Detail: fmt.Sprintf("%s would need a network and credentials for a mere plan.", request.TypeName),
	}}}, nil
}

func (s *standIn) UpgradeResourceState(_ context.Context, request *tfprotov5.UpgradeResourceStateRequest) (*tfprotov5.UpgradeResourceStateResponse, error) {
	of := typeOfBlock(s.file.Resources[request.TypeName])
	value, err := request.RawState.Unmarshal(of)
	if err != nil {
		return nil, err
	}
	state, err := tfprotov5.NewDynamicValue(of, value)
	return &tfprotov5.UpgradeResourceStateResponse{UpgradedState: &state}, err
}

func (s *standIn) ReadResource(_ context.Context, request *tfprotov5.ReadResourceRequest) (*tfprotov5.ReadResourceResponse, error) {
	return &tfprotov5.ReadResourceResponse{NewState: request.CurrentState}, nil
}

// Whatever is imported is there; all that is known of it is its id.
func (s *standIn) ImportResourceState(_ context.Context, request *tfprotov5.ImportResourceStateRequest) (*tfprotov5.ImportResourceStateResponse, error) {
	block := s.file.Resources[request.TypeName]
	of := typeOfBlock(block).(tftypes.Object)
	fields := map[string]tftypes.Value{}
	for name, one := range of.AttributeTypes {
		fields[name] = tftypes.NewValue(one, nil)
		if _, isBlock := block.Blocks[name]; isBlock {
			fields[name] = tftypes.NewValue(one, []tftypes.Value{})
		}
	}
	fields["id"] = tftypes.NewValue(tftypes.String, request.ID)
	state, err := tfprotov5.NewDynamicValue(of, tftypes.NewValue(of, fields))
	return &tfprotov5.ImportResourceStateResponse{ImportedResources: []*tfprotov5.ImportedResource{{TypeName: request.TypeName, State: &state}}}, err
}

func (s *standIn) PlanResourceChange(_ context.Context, request *tfprotov5.PlanResourceChangeRequest) (*tfprotov5.PlanResourceChangeResponse, error) {
	block := s.file.Resources[request.TypeName]
	of := typeOfBlock(block)
	prior, err := request.PriorState.Unmarshal(of)
	if err != nil {
		return nil, err
	}
	value, err := request.ProposedNewState.Unmarshal(of)
	if err != nil || value.IsNull() || !prior.IsNull() {
		return &tfprotov5.PlanResourceChangeResponse{PlannedState: request.ProposedNewState}, err
	}
	if value, err = withUnknowns(block, value); err != nil {
		return nil, err
	}
	if value, err = withWhatIsKnown(request.TypeName, s.project, value); err != nil {
		return nil, err
	}
	planned, err := tfprotov5.NewDynamicValue(of, value)
	return &tfprotov5.PlanResourceChangeResponse{PlannedState: &planned}, err
}

func (s *standIn) ApplyResourceChange(_ context.Context, request *tfprotov5.ApplyResourceChangeRequest) (*tfprotov5.ApplyResourceChangeResponse, error) {
	block := s.file.Resources[request.TypeName]
	of := typeOfBlock(block)
	value, err := request.PlannedState.Unmarshal(of)
	if err != nil {
		return nil, err
	}
	if value, err = withValues(block, request.TypeName, value); err != nil {
		return nil, err
	}
	state, err := tfprotov5.NewDynamicValue(of, value)
	return &tfprotov5.ApplyResourceChangeResponse{NewState: &state}, err
}

func typeOfBlock(block blockFile) tftypes.Type {
	made, err := blockOf(block)
	if err != nil {
		panic(err)
	}
	return made.ValueType()
}
