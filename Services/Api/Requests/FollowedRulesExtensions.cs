using System.Linq.Expressions;
using FluentValidation;
using Platform.Data.Rules;

namespace Platform.Api.Requests;

/// <summary>Takes the rules of requests from the documents that they become.</summary>
public static class FollowedRulesExtensions
{
    /// <summary>
    /// Checks a member by the rules of a stored one, which it must be there for:
    /// <c>RuleFor(x => x.Quantity).Follows((OrderLine line) => line.Quantity)</c>.
    /// </summary>
    /// <typeparam name="TDto">The request.</typeparam>
    /// <typeparam name="TValue">The type of its member.</typeparam>
    /// <typeparam name="TDocument">The document, or a type that documents are made of.</typeparam>
    /// <typeparam name="TMember">The type of its member.</typeparam>
    /// <param name="rule">The rule that is being built.</param>
    /// <param name="member">The stored member.</param>
    /// <exception cref="ArgumentException">It is no member that is stored.</exception>
    public static IRuleBuilderOptions<TDto, TValue> Follows<TDto, TValue, TDocument, TMember>(
        this IRuleBuilder<TDto, TValue> rule, Expression<Func<TDocument, TMember>> member)
    {
        ArgumentNullException.ThrowIfNull(rule);
        return rule.SetValidator(new FollowedRules<TDto, TValue>(DocumentRules.Of(member), required: true));
    }
}
