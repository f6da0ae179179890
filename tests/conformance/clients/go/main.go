// What a generated client reads: an id, a 409 and a 422 of the local stack.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"

	"clients/pay"
)

func main() {
	oid, err := strconv.ParseInt(os.Getenv("OID"), 10, 64)
	check(err == nil, err)
	bearer := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
		return nil
	}
	client, err := pay.NewClientWithResponses(os.Getenv("API"), pay.WithRequestEditorFn(bearer))
	check(err == nil, err)
	make := func(amount pay.Amount, key string) *pay.CreateResponse {
		body := pay.CreateRequest{Uid: 1, Oid: oid, Amount: amount}
		made, err := client.CreateWithResponse(context.Background(), &pay.CreateParams{IdempotencyKey: &key}, body)
		check(err == nil, err)
		return made
	}

	made := make(100, "a")
	check(made.StatusCode() == 200 && made.JSON200 != nil, made.Status(), string(made.Body))
	var id int64 = made.JSON200.Id
	check(id > 1<<32, id)

	found, err := client.DetailWithResponse(context.Background(), pay.DetailRequest{Id: &id})
	check(err == nil && found.JSON200 != nil, err)
	payment := *found.JSON200
	check(payment.Id == id && payment.Oid == oid && payment.Amount == 100 && payment.Status == 0, payment)

	exists := make(100, "b")
	check(exists.StatusCode() == 409 && exists.ApplicationproblemJSON409 != nil, exists.Status())
	problem := *exists.ApplicationproblemJSON409
	check(problem.Type == pay.UrnProblemPayPaymentExists && *problem.PaymentId == id, problem)

	reused := make(99, "a")
	check(reused.StatusCode() == 422 && reused.ApplicationproblemJSON422 != nil, reused.Status())
	check(reused.ApplicationproblemJSON422.Type == pay.UrnProblemPayKeyReused, reused.ApplicationproblemJSON422)
	fmt.Printf("the client in Go read payment %d, a 409 and a 422\n", id)
}

func check(right bool, what ...any) {
	if !right {
		log.Fatal(what...)
	}
}
