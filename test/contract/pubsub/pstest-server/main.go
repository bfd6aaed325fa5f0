// Serves pstest, the in-memory Pub/Sub of Google's Go client, on a loopback port, so that the contract suite can be asked of an
// implementation that is not ours. test/contract/independent.ts starts it.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"cloud.google.com/go/pubsub/v2/pstest"
)

func main() {
	port := flag.Int("port", 0, "port on 127.0.0.1; 0 is any free one")
	flag.Parse()
	server := pstest.NewServerWithAddress(fmt.Sprintf("127.0.0.1:%d", *port))
	log.Printf("pstest listens on %s", server.Addr)
	ending := make(chan os.Signal, 1)
	signal.Notify(ending, syscall.SIGINT, syscall.SIGTERM)
	<-ending
	_ = server.Close()
}
