using FluentValidation;
using Platform.Api.Contracts;
using Platform.Data.Documents;
using Platform.Data.Rules;

namespace Platform.Api.Requests;

/// <summary>The rules of an order to place, taken from those of orders.</summary>
public sealed class OrderRequestValidator : AbstractValidator<OrderRequest>
{
    /// <summary>Takes the rules.</summary>
    public OrderRequestValidator()
    {
        RuleFor(request => request.CustomerId).Follows((Order order) => order.CustomerId);
        RuleFor(request => request.StoreId).Follows((Order order) => order.StoreId);
        RuleFor(request => request.Lines).Follows((Order order) => order.Lines)
            .SetValidator(new EachOnce<OrderRequest, OrderRequestLine>(
                CrossFieldRules.ProductOnce, nameof(OrderRequestLine.ProductId), line => line.ProductId));
        RuleForEach(request => request.Lines).SetValidator(new OrderRequestLineValidator());
    }
}
