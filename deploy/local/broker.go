package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The two brokers.
const (
	// Apache is Apache Kafka, one node in KRaft mode, fetched by Maven.
	Apache = "apache"
	// Fake is a broker in Go that speaks the protocol and keeps its data on disk, for machines without Java.
	Fake = "fake"
)

// topicsFile declares the topics of docket, in the cluster and here.
const topicsFile = "deploy/kafka/topics.yaml"

type broker struct {
	name, tool           string
	root, dir            string
	apache               bool
	port, controllerPort int
}

// newBroker prepares the broker that was asked for, or the real one where that can be.
func newBroker(ctx context.Context, m *Machine) (b broker, err error) {
	b = broker{tool: m.tools.kafka, root: m.Root, dir: filepath.Join(m.Dir, "kafka")}
	if err := freePorts(&b.port, &b.controllerPort); err != nil {
		return b, err
	}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return b, err
	}
	switch {
	case m.Options.Broker == Fake, m.Options.Broker == "" && !haveJava():
		module := filepath.Join(m.Root, "tools", "kafka", "go.mod")
		version, err := required(module, "github.com/twmb/franz-go/pkg/kfake")
		b.name = "kfake " + version
		if m.Options.Broker == "" {
			b.name += " (no Java and Maven here to run Apache Kafka with)"
		}
		return b, err
	case m.Options.Broker == Apache, m.Options.Broker == "":
		return b, b.prepareApache(ctx)
	}
	return b, fmt.Errorf("broker %q: must be %s or %s", m.Options.Broker, Apache, Fake)
}

func haveJava() bool {
	_, java := exec.LookPath("java")
	_, maven := exec.LookPath("mvn")
	return java == nil && maven == nil
}

// lib is where Maven puts the jars.
func (b *broker) lib() string { return filepath.Join(b.root, "bin", "kafka", "lib") }

// prepareApache fetches the jars, once, and formats the folder, once.
func (b *broker) prepareApache(ctx context.Context) error {
	if err := b.fetch(ctx); err != nil {
		return err
	}
	jars, err := filepath.Glob(filepath.Join(b.lib(), "kafka-server-*.jar"))
	if err != nil || len(jars) == 0 {
		return errors.Join(err, fmt.Errorf("no Kafka in %s", b.lib()))
	}
	b.apache = true
	b.name = "Apache Kafka " + version(jars)
	if err := os.WriteFile(b.properties(), []byte(b.config()), 0o600); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(b.dir, "data", "meta.properties")); err == nil {
		return nil
	}
	out, err := b.java(ctx, "kafka.tools.StorageTool", "random-uuid").Output()
	if err != nil {
		return fmt.Errorf("make an id for the broker: %w", err)
	}
	id := strings.TrimSpace(string(out))
	if out, err := b.java(ctx, "kafka.tools.StorageTool", "format", "--cluster-id", id, "--config", b.properties()).CombinedOutput(); err != nil {
		return fmt.Errorf("format the broker's folder: %w\n%s", err, out)
	}
	return nil
}

// version is the one in the name of the server's jar.
func version(jars []string) string {
	for _, jar := range jars {
		if v := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(jar), "kafka-server-"), ".jar"); v[0] >= '0' && v[0] <= '9' {
			return v
		}
	}
	return ""
}

// fetch has Maven copy the jars of tools/kafka/pom.xml, unless they are there.
func (b *broker) fetch(ctx context.Context) error {
	pom := filepath.Join(b.root, "tools", "kafka", "pom.xml")
	want, err := os.ReadFile(pom)
	if err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(b.root, "bin", "kafka", ".lock"))
	if err != nil {
		return err
	}
	defer unlock()
	made := filepath.Join(b.lib(), "pom.xml") // a copy of the file that these jars are from
	if have, err := os.ReadFile(made); err == nil && string(have) == string(want) {
		return nil
	}
	if err := os.RemoveAll(b.lib()); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "mvn", "--batch-mode", "--quiet", "--file", pom, "dependency:copy-dependencies",
		"-DoutputDirectory="+b.lib(), "-DincludeScope=runtime")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fetch Apache Kafka: %w\n%s", err, out)
	}
	return os.WriteFile(made, want, 0o644)
}

func (b *broker) properties() string { return filepath.Join(b.dir, "server.properties") }

// config is one node that is broker and controller. Groups begin at once, for tests, and topics are declared only.
func (b *broker) config() string {
	lines := []string{
		"process.roles=broker,controller", "node.id=1",
		"controller.quorum.voters=1@" + address(b.controllerPort),
		"listeners=PLAINTEXT://" + address(b.port) + ",CONTROLLER://" + address(b.controllerPort),
		"advertised.listeners=PLAINTEXT://" + address(b.port),
		"controller.listener.names=CONTROLLER", "inter.broker.listener.name=PLAINTEXT",
		"log.dirs=" + filepath.Join(b.dir, "data"),
		"auto.create.topics.enable=false", "group.initial.rebalance.delay.ms=0",
		"offsets.topic.replication.factor=1", "offsets.topic.num.partitions=12",
		"transaction.state.log.replication.factor=1", "transaction.state.log.min.isr=1",
		"share.coordinator.state.topic.replication.factor=1", "share.coordinator.state.topic.min.isr=1",
	}
	return strings.Join(lines, "\n") + "\n"
}

// Java as the broker of one machine needs it: little memory, and no second compiler, which took half of the broker's processor
// time in its first minutes and gains little for what one machine sends.
var javaOptions = []string{"-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}

func (b *broker) javaArgs(class string, args ...string) []string {
	return slices.Concat(javaOptions, []string{"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", filepath.Join(b.lib(), "*"), class}, args)
}

func (b *broker) java(ctx context.Context, class string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "java", b.javaArgs(class, args...)...)
	cmd.Dir = b.dir
	return cmd
}

func (b *broker) command() command {
	if b.apache {
		return command{path: "java", args: b.javaArgs("kafka.Kafka", b.properties()), dir: b.dir, follows: true}
	}
	return command{path: b.tool, args: []string{"fake", "-port", strconv.Itoa(b.port), "-data", filepath.Join(b.dir, "data")}, dir: b.dir, follows: true}
}

// ready declares docket's topics, which waits for the broker: until they are there it is of no use.
func (b *broker) ready(ctx context.Context) error {
	if err := listens(ctx, b.port); err != nil {
		return err
	}
	return b.declare(ctx, filepath.Join(b.root, filepath.FromSlash(topicsFile)))
}

func (b *broker) declare(ctx context.Context, file string) error {
	out, err := exec.CommandContext(ctx, b.tool, "declare", "-broker", address(b.port), file).CombinedOutput()
	if err != nil {
		return fmt.Errorf("declare topics: %w: %s", err, out)
	}
	return nil
}
