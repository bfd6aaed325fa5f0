// Google's Go clients against a local run: the addresses in the environment in, one line of JSON with what was counted out.
// test/contract/clients/go.test.ts runs it; `npm run contract -- --install` builds it.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/bigquery/storage/managedwriter"
	"cloud.google.com/go/bigquery/storage/managedwriter/adapt"
	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

type facts map[string]any

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 80*time.Second)
	defer cancel()
	project, name := os.Getenv("GOOGLE_CLOUD_PROJECT"), os.Args[1]
	told := facts{}
	usePubSub(ctx, project, name, told)
	useStorage(ctx, project, name, told)
	useBigQuery(ctx, project, strings.ReplaceAll(name, "-", "_"), told)
	line, err := json.Marshal(told)
	must(err)
	fmt.Println(string(line))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// statusOf is the HTTP status of an error, 0 for none of Google's.
func statusOf(err error) int {
	var problem *googleapi.Error
	if errors.As(err, &problem) {
		return problem.Code
	}
	return 0
}

func usePubSub(ctx context.Context, project, name string, told facts) {
	client, err := pubsub.NewClient(ctx, project)
	must(err)
	defer client.Close()
	topic := fmt.Sprintf("projects/%s/topics/%s", project, name)
	subscription := fmt.Sprintf("projects/%s/subscriptions/%s", project, name)
	_, err = client.TopicAdminClient.CreateTopic(ctx, &pubsubpb.Topic{Name: topic})
	must(err)
	_, err = client.SubscriptionAdminClient.CreateSubscription(ctx, &pubsubpb.Subscription{Name: subscription, Topic: topic})
	must(err)
	publisher := client.Publisher(name)
	for i := range 40 {
		_, err := publisher.Publish(ctx, &pubsub.Message{Data: []byte(fmt.Sprint(i)), Attributes: map[string]string{"number": fmt.Sprint(i)}}).Get(ctx)
		must(err)
	}
	publisher.Stop()
	receiving, stop := context.WithCancel(ctx)
	var mutex sync.Mutex
	came, refused := map[string]int{}, 0
	must(client.Subscriber(name).Receive(receiving, func(_ context.Context, message *pubsub.Message) {
		mutex.Lock()
		defer mutex.Unlock()
		if message.Attributes["number"] == "7" && refused == 0 {
			refused++
			message.Nack()
			return
		}
		message.Ack()
		came[string(message.Data)]++
		if len(came) == 40 {
			stop()
		}
	}))
	told["came"], told["refused"] = len(came), refused
}

func useStorage(ctx context.Context, project, name string, told facts) {
	client, err := storage.NewClient(ctx, option.WithoutAuthentication(), storage.WithJSONReads())
	must(err)
	defer client.Close()
	bucket := client.Bucket(name)
	must(bucket.Create(ctx, project, nil))
	write := func(object *storage.ObjectHandle, data []byte, chunk int) error {
		writer := object.NewWriter(ctx)
		writer.ChunkSize = chunk
		if _, err := writer.Write(data); err != nil {
			return err
		}
		return writer.Close()
	}
	big := bytes.Repeat([]byte("0123456789"), 60_000)
	must(write(bucket.Object("big"), big, 256*1024))
	var sources []*storage.ObjectHandle
	for i := range 3 {
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		fmt.Fprintf(zip, "line %d\n", i)
		must(zip.Close())
		member := bucket.Object(fmt.Sprintf("members/%d", i))
		must(write(member, packed.Bytes(), 0))
		sources = append(sources, member)
	}
	_, err = bucket.Object("whole.gz").ComposerFrom(sources...).Run(ctx)
	must(err)
	told["composed"] = string(inflated(ctx, bucket.Object("whole.gz")))
	reader, err := bucket.Object("big").NewReader(ctx)
	must(err)
	back, err := io.ReadAll(reader)
	must(err)
	told["is_same"] = bytes.Equal(back, big)
	part, err := bucket.Object("big").NewRangeReader(ctx, 10, 5)
	must(err)
	some, err := io.ReadAll(part)
	must(err)
	told["part"] = string(some)
	told["there_already"] = statusOf(write(bucket.Object("big").If(storage.Conditions{DoesNotExist: true}), []byte("x"), 0))
	var names []string
	for objects := bucket.Objects(ctx, &storage.Query{Prefix: "members/"}); ; {
		attributes, err := objects.Next()
		if errors.Is(err, iterator.Done) {
			break
		}
		must(err)
		names = append(names, attributes.Name)
	}
	told["names"] = names
}

func inflated(ctx context.Context, object *storage.ObjectHandle) []byte {
	reader, err := object.NewReader(ctx)
	must(err)
	zip, err := gzip.NewReader(reader)
	must(err)
	text, err := io.ReadAll(zip)
	must(err)
	return text
}

type thing struct {
	ID string `bigquery:"id"`
	N  int    `bigquery:"n"`
}

func useBigQuery(ctx context.Context, project, name string, told facts) {
	client, err := bigquery.NewClient(ctx, project, option.WithEndpoint(os.Getenv("BIGQUERY_EMULATOR_HOST")+"/bigquery/v2/"), option.WithoutAuthentication())
	must(err)
	defer client.Close()
	dataset := client.Dataset(name)
	must(dataset.Create(ctx, nil))
	schema, err := bigquery.InferSchema(thing{})
	must(err)
	for _, field := range schema {
		field.Required = false
	}
	table := dataset.Table("things")
	must(table.Create(ctx, &bigquery.TableMetadata{Schema: schema}))
	must(table.Inserter().Put(ctx, []thing{{"put-1", 1}, {"put-2", 2}}))
	source := bigquery.NewReaderSource(strings.NewReader("{\"id\":\"load-1\",\"n\":1}\n{\"id\":\"load-2\",\"n\":2}\n{\"id\":\"load-3\",\"n\":3}\n"))
	source.SourceFormat, source.Schema = bigquery.JSON, schema
	job, err := table.LoaderFrom(source).Run(ctx)
	must(err)
	status, err := job.Wait(ctx)
	must(err)
	must(status.Err())
	appendRows(ctx, project, name, schema)

	query := client.Query(fmt.Sprintf("SELECT SPLIT(id, '-')[OFFSET(0)] AS id, COUNT(*) AS n FROM `%s.things` GROUP BY 1 HAVING COUNT(*) >= @least", name))
	query.Parameters = []bigquery.QueryParameter{{Name: "least", Value: 1}}
	rows, err := query.Read(ctx)
	must(err)
	var counted []string
	for {
		var row thing
		err := rows.Next(&row)
		if errors.Is(err, iterator.Done) {
			break
		}
		must(err)
		counted = append(counted, fmt.Sprintf("%s %d", row.ID, row.N))
	}
	sort.Strings(counted)
	told["counted"] = counted
	_, err = client.Query("SELEC 1").Read(ctx)
	told["syntax"] = statusOf(err)
	_, err = dataset.Table("nothing").Metadata(ctx)
	told["missing"] = statusOf(err)
	must(dataset.DeleteWithContents(ctx))
}

func appendRows(ctx context.Context, project, dataset string, schema bigquery.Schema) {
	client, err := managedwriter.NewClient(ctx, project, option.WithEndpoint(strings.TrimPrefix(os.Getenv("BIGQUERY_WRITE_ENDPOINT"), "http://")), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	must(err)
	defer client.Close()
	columns, err := adapt.BQSchemaToStorageTableSchema(schema)
	must(err)
	described, err := adapt.StorageSchemaToProto2Descriptor(columns, "root")
	must(err)
	message := described.(protoreflect.MessageDescriptor)
	normal, err := adapt.NormalizeDescriptor(message)
	must(err)
	stream, err := client.NewManagedStream(ctx, managedwriter.WithDestinationTable(managedwriter.TableParentFromParts(project, dataset, "things")), managedwriter.WithType(managedwriter.DefaultStream), managedwriter.WithSchemaDescriptor(normal))
	must(err)
	defer stream.Close()
	var rows [][]byte
	for i := range 10 {
		row := dynamicpb.NewMessage(message)
		row.Set(message.Fields().ByName("id"), protoreflect.ValueOfString(fmt.Sprintf("append-%d", i)))
		row.Set(message.Fields().ByName("n"), protoreflect.ValueOfInt64(int64(i)))
		bytes, err := proto.Marshal(row)
		must(err)
		rows = append(rows, bytes)
	}
	result, err := stream.AppendRows(ctx, rows)
	must(err)
	_, err = result.GetResult(ctx)
	must(err)
}
