using System.Globalization;
using FluentValidation;
using FluentValidation.Results;
using FluentValidation.Validators;

namespace Platform.Api.Requests;

/// <summary>Checks that no two entries of a list name the same thing; points to the later one.</summary>
/// <typeparam name="TDto">The request.</typeparam>
/// <typeparam name="TItem">The entries.</typeparam>
/// <param name="ruleCode">The rule that this keeps.</param>
/// <param name="member">The member that names the thing.</param>
/// <param name="key">The thing that an entry names; null for none.</param>
public sealed class EachOnce<TDto, TItem>(string ruleCode, string member, Func<TItem, string?> key)
    : PropertyValidator<TDto, IReadOnlyList<TItem>>, IFollowsCrossFieldRule
    where TItem : class
{
    /// <inheritdoc/>
    public string RuleCode { get; } = ruleCode;

    /// <inheritdoc/>
    public override string Name => "EachOnce";

    /// <inheritdoc/>
    public override bool IsValid(ValidationContext<TDto> context, IReadOnlyList<TItem> value)
    {
        ArgumentNullException.ThrowIfNull(context);
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < (value?.Count ?? 0); i++)
        {
            // An entry can be null where the request had something that is none.
            if (value![i] is { } item && key(item) is { } named && !seen.Add(named))
            {
                context.AddFailure(new ValidationFailure(
                    string.Create(CultureInfo.InvariantCulture, $"{context.PropertyPath}[{i}].{member}"),
                    "Is on an earlier line already.")
                {
                    ErrorCode = RuleCode,
                });
            }
        }

        return true;
    }
}
