using FluentValidation;
using FluentValidation.Results;
using MongoDB.Bson;
using Platform.Data.Catalogue;

namespace Platform.Data.Validation;

/// <summary>Checks documents before they are written, by all rules of their collection. The property names of failures are JSON pointers.</summary>
/// <typeparam name="TDocument">The type of the documents.</typeparam>
public sealed class DocumentValidator<TDocument> : AbstractValidator<TDocument>
    where TDocument : class
{
    /// <summary>Takes the rules from the collection.</summary>
    /// <param name="collection">The collection.</param>
    public DocumentValidator(CollectionDefinition<TDocument> collection)
    {
        ArgumentNullException.ThrowIfNull(collection);
        RuleFor(document => document).Custom((document, context) =>
        {
            foreach (var violation in collection.Rules.Evaluate(document.ToBsonDocument()))
            {
                context.AddFailure(new ValidationFailure(violation.Pointer, violation.Detail) { ErrorCode = violation.Code });
            }
        });
    }
}
