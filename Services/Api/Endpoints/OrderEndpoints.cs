using System.ComponentModel;
using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using MongoDB.Bson;
using Platform.Api.Callers;
using Platform.Api.Contracts;
using Platform.Api.OpenApi;
using Platform.Api.Orders;
using Platform.Api.Problems;
using Platform.Api.Requests;
using Platform.Api.Tenants;
using Platform.Data.Documents;

namespace Platform.Api.Endpoints;

/// <summary>The resource <c>/tenants/{tenant}/orders</c>.</summary>
internal static class OrderEndpoints
{
    private const string ReplayedHeader = "Idempotency-Replayed";

    public static void MapOrders(this IEndpointRouteBuilder tenant)
    {
        var group = tenant.MapGroup("/orders").WithTags("Orders");

        group.MapPost("/", PlaceAsync)
            .WithName("PlaceOrder")
            .WithSummary("Places an order and takes its stock, both or neither.")
            .WithDescription(
                "409 when the store is closed, when a product's price is none of the tenant's currency, or when the "
                + "stock is short; the member short then names the lines and what is there. 422 when the order would "
                + "break a rule. Sent again with the same Idempotency-Key, an order is placed once.")
            .For(Roles.Orders, Roles.Admin)
            .AddEndpointFilter<RequireJson>()
            .Accepts<OrderRequest>("application/json")
            .ProducesProblem(StatusCodes.Status408RequestTimeout)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
        group.MapGet("/{id}", GetAsync)
            .WithName("GetOrder")
            .WithSummary("Returns an order.")
            .For(Roles.Reader, Roles.Orders, Roles.Admin)
            .WithMetadata(ParameterSchema.Id("id"));
    }

    private static async Task<Results<Created<OrderDetails>, ProblemHttpResult>> PlaceAsync(
        [AsParameters] TenantOfPath owner,
        [FromHeader(Name = "Idempotency-Key"), Description("A name for this order, chosen by the caller.")]
        string? idempotencyKey,
        HttpRequest request,
        IOrderBook orders,
        CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        var draft = await OrderRequestReader.ReadAsync(
            owner.Id, request.Body, idempotencyKey, errors, cancellationToken);
        if (draft is null)
        {
            return ApiProblem.Malformed(errors);
        }

        var tenant = owner.Tenant;
        switch (await orders.PlaceAsync(tenant, draft, cancellationToken))
        {
            case OrderOutcome.Placed { Order: var order }:
                return Created(tenant, order);

            case OrderOutcome.PlacedBefore { Order: var order }:
                request.HttpContext.Response.Headers[ReplayedHeader] = "true";
                return Created(tenant, order);

            case OrderOutcome.KeyReused:
                errors.Header("Idempotency-Key", ErrorCodes.Reused, "Stands for another order already.");
                return ApiProblem.Of(
                    StatusCodes.Status422UnprocessableEntity, "The idempotency key was used for another order.",
                    errors: errors.All);

            case OrderOutcome.StoreClosed:
                errors.Body("/storeId", ErrorCodes.Closed, "The store is closed.");
                return ApiProblem.Of(StatusCodes.Status409Conflict, "The store is closed.", errors: errors.All);

            case OrderOutcome.WronglyPriced { Products: var products }:
                return WronglyPriced(products, tenant, draft, errors);

            case OrderOutcome.Unknown unknown:
                return Unknown(unknown, draft, errors);

            case OrderOutcome.OutOfStock { Lines: var lines }:
                return OutOfStock(lines, draft, errors);

            case var other:
                throw new InvalidOperationException($"An order cannot end as {other.GetType().Name}.");
        }
    }

    private static async Task<Results<Ok<OrderDetails>, ProblemHttpResult>> GetAsync(
        [AsParameters] TenantOfPath owner,
        [Description("The order's id.")] string id,
        IOrderBook orders,
        CancellationToken cancellationToken)
    {
        var errors = new RequestErrors();
        var orderId = errors.Id("id", id);
        if (!errors.None)
        {
            return ApiProblem.Malformed(errors);
        }

        return await orders.FindAsync(owner.Id, orderId, cancellationToken) is { } order
            ? TypedResults.Ok(Details(order))
            : ApiProblem.NotFound("id", "The tenant has no order of this id.");
    }

    private static Created<OrderDetails> Created(Tenant tenant, Order order) =>
        TypedResults.Created($"/tenants/{tenant.Slug}/orders/{order.Id}", Details(order));

    private static ProblemHttpResult Unknown(OrderOutcome.Unknown unknown, OrderDraft draft, RequestErrors errors)
    {
        if (unknown.Customer)
        {
            errors.Body("/customerId", ErrorCodes.Unknown, "The tenant has no customer of this id.");
        }

        if (unknown.Store)
        {
            errors.Body("/storeId", ErrorCodes.Unknown, "The tenant has no store of this id.");
        }

        foreach (var product in unknown.Products)
        {
            errors.Body(
                LineOf(draft, product.ToString(), "productId"),
                ErrorCodes.Unknown,
                "The tenant has no product of this id on sale.");
        }

        return ApiProblem.NotFound(errors);
    }

    private static ProblemHttpResult WronglyPriced(
        IReadOnlyList<(ObjectId ProductId, string Currency)> products, Tenant tenant, OrderDraft draft,
        RequestErrors errors)
    {
        foreach (var (productId, currency) in products)
        {
            var (code, sentence) = currency == tenant.Currency
                ? (ErrorCodes.Amount, $"Its price has more decimals than {currency} has.")
                : (ErrorCodes.Currency, $"Its price is in {currency}, and the tenant sells in {tenant.Currency}.");
            errors.Body(LineOf(draft, productId.ToString(), "productId"), code, sentence);
        }

        return ApiProblem.Of(
            StatusCodes.Status409Conflict,
            "A product cannot be sold at its price.",
            "Nothing was ordered.",
            errors.All);
    }

    private static ProblemHttpResult OutOfStock(IReadOnlyList<ShortLine> lines, OrderDraft draft, RequestErrors errors)
    {
        foreach (var line in lines)
        {
            errors.Body(
                LineOf(draft, line.ProductId, "quantity"),
                ErrorCodes.Short,
                string.Create(CultureInfo.InvariantCulture, $"The store has {line.Available}."));
        }

        return ApiProblem.Of(
            StatusCodes.Status409Conflict,
            "The stock is short.",
            "Nothing was ordered.",
            errors.All,
            new Dictionary<string, object?> { ["short"] = lines });
    }

    private static string LineOf(OrderDraft draft, string productId, string field)
    {
        var index = draft.Lines.Select((line, index) => (line.ProductId, index))
            .First(line => line.ProductId.ToString() == productId).index;
        return string.Create(CultureInfo.InvariantCulture, $"/lines/{index}/{field}");
    }

    private static OrderDetails Details(Order order) => new(
        order.Id.ToString(),
        order.Number,
        order.CustomerId.ToString(),
        order.StoreId.ToString(),
        [
            .. order.Lines.Select(line => new OrderDetailsLine(
                line.ProductId.ToString(), line.Sku, line.Name, line.Quantity, line.UnitPrice, line.Total)),
        ],
        order.Currency,
        order.Subtotal,
        order.Tax,
        order.Total,
        DocumentConventions.Stored(order.Status),
        order.PlacedAt);
}
