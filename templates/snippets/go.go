package main

import (
	"context"
	"fmt"
	"io"
	"log"

	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	key := clientcredentials.Config{
		ClientID:     "YOUR_CLIENT_ID",
		ClientSecret: "YOUR_CLIENT_SECRET",
		TokenURL:     "https://hub.example.com/oauth2/token",
	}
	// Gets a token when it needs one, and another before that one ends.
	client := key.Client(context.Background())

	answer, err := client.Get("https://hub.example.com/api/v1/whoami")
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Status, string(body))
}
