// Makes the calls that it is told on its standard input, with analytics-go as it is published.
package main

import (
	"encoding/json"
	"os"
	"sync"
	"time"

	analytics "gopkg.in/segmentio/analytics-go.v3"
)

type call struct {
	Call        string                 `json:"call"`
	MessageId   string                 `json:"messageId"`
	UserId      string                 `json:"userId"`
	AnonymousId string                 `json:"anonymousId"`
	PreviousId  string                 `json:"previousId"`
	GroupId     string                 `json:"groupId"`
	Event       string                 `json:"event"`
	Name        string                 `json:"name"`
	Timestamp   time.Time              `json:"timestamp"`
	Properties  map[string]interface{} `json:"properties"`
	Traits      map[string]interface{} `json:"traits"`
	Context     *analytics.Context     `json:"context"`
}

func (c call) message() analytics.Message {
	switch c.Call {
	case "track":
		return analytics.Track{MessageId: c.MessageId, UserId: c.UserId, AnonymousId: c.AnonymousId, Event: c.Event,
			Timestamp: c.Timestamp, Context: c.Context, Properties: c.Properties}
	case "identify":
		return analytics.Identify{MessageId: c.MessageId, UserId: c.UserId, AnonymousId: c.AnonymousId,
			Timestamp: c.Timestamp, Context: c.Context, Traits: c.Traits}
	case "page":
		return analytics.Page{MessageId: c.MessageId, UserId: c.UserId, AnonymousId: c.AnonymousId, Name: c.Name,
			Timestamp: c.Timestamp, Context: c.Context, Properties: c.Properties}
	case "screen":
		return analytics.Screen{MessageId: c.MessageId, UserId: c.UserId, AnonymousId: c.AnonymousId, Name: c.Name,
			Timestamp: c.Timestamp, Context: c.Context, Properties: c.Properties}
	case "group":
		return analytics.Group{MessageId: c.MessageId, UserId: c.UserId, AnonymousId: c.AnonymousId, GroupId: c.GroupId,
			Timestamp: c.Timestamp, Context: c.Context, Traits: c.Traits}
	}
	return analytics.Alias{MessageId: c.MessageId, UserId: c.UserId, PreviousId: c.PreviousId, Timestamp: c.Timestamp,
		Context: c.Context}
}

// What was given up, and what nothing was heard of yet: closing the client would end its attempts.
type told struct {
	mutex  sync.Mutex
	open   sync.WaitGroup
	errors []string
}

func (t *told) Success(analytics.Message) { t.open.Done() }

func (t *told) Failure(_ analytics.Message, e error) {
	t.mutex.Lock()
	t.errors = append(t.errors, e.Error())
	t.mutex.Unlock()
	t.open.Done()
}

func main() {
	var asked struct {
		Host  string `json:"host"`
		Key   string `json:"key"`
		Calls []call `json:"calls"`
	}
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}
	said := &told{errors: []string{}}
	client, err := analytics.NewWithConfig(asked.Key, analytics.Config{Endpoint: asked.Host, Callback: said,
		DefaultContext: &analytics.Context{App: analytics.AppInfo{Name: "Shop"}}})
	if err != nil {
		panic(err)
	}
	for _, one := range asked.Calls {
		said.open.Add(1)
		if err := client.Enqueue(one.message()); err != nil {
			said.Failure(nil, err)
		}
	}
	said.open.Wait()
	if err := client.Close(); err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(map[string][]string{"errors": said.errors})
}
