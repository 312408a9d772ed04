using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using Platform.Data.Encryption;

namespace Platform.Data.Tenancy;

/// <summary>A query for documents of which parts are stored encrypted: when it is sent, it is refused if it sorts by one of them.</summary>
/// <remarks>The sort is looked at when the query is run, since it is given, changed and added to (<c>ThenBy</c>) until then.</remarks>
/// <typeparam name="TDocument">The type of the documents.</typeparam>
/// <typeparam name="TResult">The type of the results.</typeparam>
/// <param name="query">The query.</param>
/// <param name="fields">The fields that are stored encrypted.</param>
/// <param name="args">How a sort is written out.</param>
internal sealed class AnswerableFind<TDocument, TResult>(
    IFindFluent<TDocument, TResult> query, IReadOnlyList<EncryptedField> fields, RenderArgs<TDocument> args) : FindFluentBase<TDocument, TResult>
{
    public override FilterDefinition<TDocument> Filter
    {
        get => query.Filter;
        set => query.Filter = value;
    }

    public override FindOptions<TDocument, TResult> Options => query.Options;

    public override IFindFluent<TDocument, TOther> As<TOther>(IBsonSerializer<TOther> resultSerializer) => With(query.As(resultSerializer));

    public override long CountDocuments(CancellationToken cancellationToken = default) => query.CountDocuments(cancellationToken);

    public override Task<long> CountDocumentsAsync(CancellationToken cancellationToken = default) => query.CountDocumentsAsync(cancellationToken);

    public override IFindFluent<TDocument, TResult> Limit(int? limit) => With(query.Limit(limit));

    public override IFindFluent<TDocument, TOther> Project<TOther>(ProjectionDefinition<TDocument, TOther> projection) => With(query.Project(projection));

    public override IFindFluent<TDocument, TResult> Skip(int? skip) => With(query.Skip(skip));

    public override IFindFluent<TDocument, TResult> Sort(SortDefinition<TDocument> sort) => With(query.Sort(sort));

    public override IAsyncCursor<TResult> ToCursor(CancellationToken cancellationToken = default) => Answerable().ToCursor(cancellationToken);

    public override Task<IAsyncCursor<TResult>> ToCursorAsync(CancellationToken cancellationToken = default) => Answerable().ToCursorAsync(cancellationToken);

    public override string ToString() => query.ToString()!;

    public override string ToString(ExpressionTranslationOptions translationOptions) => query.ToString(translationOptions);

#pragma warning disable CS0672, CS0618 // Obsolete, and abstract still.
    public override Task<long> CountAsync(CancellationToken cancellationToken = default) => query.CountAsync(cancellationToken);
#pragma warning restore CS0672, CS0618

    private AnswerableFind<TDocument, TOther> With<TOther>(IFindFluent<TDocument, TOther> other) => new(other, fields, args);

    private IFindFluent<TDocument, TResult> Answerable() =>
        Options.Sort?.Render(args).Names.FirstOrDefault(name => fields.Any(field => field.Name == name.Split('.')[0])) is { } name
            ? throw new ArgumentException($"A query cannot sort by {name}, which is stored encrypted.")
            : query;
}
