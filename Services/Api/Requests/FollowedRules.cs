using FluentValidation;
using FluentValidation.Results;
using FluentValidation.Validators;
using MongoDB.Bson;
using Platform.Data.Rules;

namespace Platform.Api.Requests;

/// <summary>
/// Checks a member of a request by the rules of the stored member that it becomes: the limit, the code and the sentence
/// are the document's. Of a list only the number of entries is judged here; the entries have validators of their own.
/// </summary>
/// <typeparam name="TDto">The request.</typeparam>
/// <typeparam name="TValue">The member's type.</typeparam>
/// <param name="node">The rules.</param>
/// <param name="required">Whether the member has to be there.</param>
public sealed class FollowedRules<TDto, TValue>(SchemaNode node, bool required)
    : PropertyValidator<TDto, TValue>, IFollowedRules
{
    /// <inheritdoc/>
    public SchemaNode Node { get; } = node;

    /// <inheritdoc/>
    public override string Name => "FollowedRules";

    /// <inheritdoc/>
    public override bool IsValid(ValidationContext<TDto> context, TValue value)
    {
        ArgumentNullException.ThrowIfNull(context);
        var violations = new List<RuleViolation>();
        switch (value)
        {
            // What the request has in the member's place never became a value.
            case var _ when BodyFaults.Of(context)?
                .CodeAt(JsonPointer.FromMemberPath(context.PropertyPath)) is { } code:
                violations.Add(new RuleViolation("", code, Node.Sentence(code)));
                break;
            case null:
                if (required)
                {
                    violations.Add(new RuleViolation("", RuleCodes.Required, Node.Sentence(RuleCodes.Required)));
                }

                break;
            case string text when Node.BsonType == "objectId":
                if (!ObjectId.TryParse(text, out _))
                {
                    violations.Add(new RuleViolation("", RuleCodes.Type, Node.Sentence(RuleCodes.Type)));
                }

                break;
            case string text:
                Node.Evaluate(text, "", violations);
                break;
            case System.Collections.ICollection list:
                Node.EvaluateCount(list.Count, "", violations);
                break;
            case decimal number:
                Node.Evaluate(new BsonDecimal128(number), "", violations);
                break;
            default:
                Node.Evaluate(BsonValue.Create(value), "", violations);
                break;
        }

        foreach (var violation in violations)
        {
            context.AddFailure(new ValidationFailure(context.PropertyPath, violation.Detail)
            {
                ErrorCode = violation.Code, AttemptedValue = value,
            });
        }

        return true;
    }
}
