using System.Text.Json;
using FluentValidation;

namespace Platform.Api.Requests;

/// <summary>All validators of request bodies, for pages and tests.</summary>
public static class RequestValidators
{
    /// <summary>One for each type that bodies are made of.</summary>
    public static IReadOnlyList<IValidator> All { get; } =
        [new OrderRequestValidator(), new OrderRequestLineValidator()];

    /// <summary>Every member of a request that is checked by a document's rules.</summary>
    public static IReadOnlyList<RequestRule> Rules() =>
    [
        .. All.SelectMany(validator => validator.CreateDescriptor().Rules
            .SelectMany(rule => rule.Components.Select(component => component.Validator switch
            {
                IFollowedRules followed => Rule(validator, rule.PropertyName, followed.Node.Origin, null),
                IFollowsCrossFieldRule followed => Rule(validator, rule.PropertyName, null, followed.RuleCode),
                _ => null,
            }))).OfType<RequestRule>(),
    ];

    private static RequestRule Rule(
        IValidator validator, string member, System.Reflection.PropertyInfo? origin, string? code) => new(
        validator.GetType().BaseType!.GetGenericArguments()[0].Name, JsonNamingPolicy.CamelCase.ConvertName(member),
        origin, code);
}
