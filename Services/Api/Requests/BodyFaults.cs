using FluentValidation;
using Platform.Data.Rules;

namespace Platform.Api.Requests;

/// <summary>
/// The places where a request's body has nothing, or nothing that could become a value. A validator that is run with
/// them says of these places what is asked there, and does not judge the value that stands in for the one that is not
/// there.
/// </summary>
public sealed class BodyFaults
{
    private const string Key = "Platform.BodyFaults";

    private readonly SortedDictionary<string, string> _codes = new(StringComparer.Ordinal);

    /// <summary>
    /// The places by their JSON pointers, each with <see cref="RuleCodes.Required"/> or <see cref="RuleCodes.Type"/>.
    /// </summary>
    public IReadOnlyDictionary<string, string> Codes => _codes;

    /// <summary>Notes a place.</summary>
    /// <param name="pointer">The place.</param>
    /// <param name="code">What is wrong there.</param>
    public void Add(string pointer, string code) => _codes[pointer] = code;

    /// <summary>What is wrong at a place; null when nothing was noted.</summary>
    /// <param name="pointer">The place.</param>
    public string? CodeAt(string pointer) => _codes.GetValueOrDefault(pointer);

    /// <summary>The context for a validator that shall know the places.</summary>
    /// <typeparam name="TDto">The request.</typeparam>
    /// <param name="request">What could be read of the request.</param>
    public ValidationContext<TDto> ContextFor<TDto>(TDto request) =>
        new(request) { RootContextData = { [Key] = this } };

    internal static BodyFaults? Of(IValidationContext context) =>
        context.RootContextData.TryGetValue(Key, out var faults) ? (BodyFaults)faults : null;
}
