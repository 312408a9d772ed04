using FluentValidation;
using Platform.Api.Contracts;
using Platform.Data.Documents;

namespace Platform.Api.Requests;

/// <summary>The rules of one product to order, taken from those of an order's lines.</summary>
public sealed class OrderRequestLineValidator : AbstractValidator<OrderRequestLine>
{
    /// <summary>Takes the rules.</summary>
    public OrderRequestLineValidator()
    {
        RuleFor(line => line.ProductId).Follows((OrderLine line) => line.ProductId);
        RuleFor(line => line.Quantity).Follows((OrderLine line) => line.Quantity);
    }
}
