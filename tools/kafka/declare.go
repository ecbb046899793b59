package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.yaml.in/yaml/v3"
)

// topic is one KafkaTopic of Strimzi (kafka.strimzi.io/v1), as far as it is used here.
type topic struct {
	Kind     string `yaml:"kind"`
	Metadata struct {
		Name string `yaml:"name"`
	} `yaml:"metadata"`
	Spec struct {
		Partitions int32             `yaml:"partitions"`
		Config     map[string]string `yaml:"config"`
	} `yaml:"spec"`
}

// declare creates the topics that do not exist yet, with one replica, once the broker answers.
func declare(ctx context.Context, broker string, files []string) error {
	topics, err := read(files)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if err := answering(ctx, client); err != nil {
		return fmt.Errorf("reach the broker at %s: %w", broker, err)
	}
	for _, t := range topics {
		config := map[string]*string{}
		for name, value := range t.Spec.Config {
			config[name] = kadm.StringPtr(value)
		}
		_, err := admin.CreateTopic(ctx, t.Spec.Partitions, 1, config, t.Metadata.Name)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("declare topic %s: %w", t.Metadata.Name, err)
		}
	}
	return nil
}

// answering waits until the broker answers, or ctx ends.
func answering(ctx context.Context, client *kgo.Client) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := client.Ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// read decodes every document of the files; each has to be a topic with partitions.
func read(files []string) (topics []topic, err error) {
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for docs := yaml.NewDecoder(bytes.NewReader(content)); ; {
			var t topic
			if err := docs.Decode(&t); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if t.Kind != "KafkaTopic" || t.Metadata.Name == "" || t.Spec.Partitions < 1 {
				return nil, fmt.Errorf("%s: document %d is no KafkaTopic with a name and partitions", file, len(topics)+1)
			}
			topics = append(topics, t)
		}
	}
	if len(topics) == 0 {
		return nil, errors.New("no topics to declare: " + usage)
	}
	return topics, nil
}
