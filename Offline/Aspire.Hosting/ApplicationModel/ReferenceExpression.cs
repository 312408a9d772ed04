using System.Globalization;
using System.Runtime.CompilerServices;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Text with values in it that become known when the graph starts.</summary>
public class ReferenceExpression : IExpressionValue, IValueWithReferences
{
    /// <summary>The empty text.</summary>
    public static readonly ReferenceExpression Empty = new("", [], []);

    private ReferenceExpression(string format, IReadOnlyList<IValueProvider> valueProviders, IReadOnlyList<string?> stringFormats)
    {
        Format = format;
        ValueProviders = valueProviders;
        StringFormats = stringFormats;
        ManifestExpressions = [.. valueProviders.Select(v => ((IManifestExpressionProvider)v).ValueExpression)];
    }

    /// <summary>The text, as a composite format string.</summary>
    public string Format { get; }

    /// <summary>The values.</summary>
    public IReadOnlyList<IValueProvider> ValueProviders { get; }

    /// <summary>The values' expressions.</summary>
    public IReadOnlyList<string> ManifestExpressions { get; }

    /// <summary>How each value is formatted: <c>uri</c> escapes it for a part of a URI; null leaves it.</summary>
    public IReadOnlyList<string?> StringFormats { get; }

    /// <inheritdoc />
    public string ValueExpression => string.Format(CultureInfo.InvariantCulture, Format, [.. ManifestExpressions]);

    IEnumerable<object> IValueWithReferences.References => ValueProviders;

    /// <summary>Makes an expression of an interpolated string.</summary>
    public static ReferenceExpression Create(in ExpressionInterpolatedStringHandler handler) => handler.Build();

    /// <summary>Gets the text, waiting until every value is known.</summary>
    public async ValueTask<string?> GetValueAsync(ValueProviderContext context, CancellationToken cancellationToken)
    {
        if (ValueProviders.Count == 0)
        {
            return string.Format(CultureInfo.InvariantCulture, Format, []);
        }

        var values = new object?[ValueProviders.Count];
        for (var i = 0; i < values.Length; i++)
        {
            var value = await ValueProviders[i].GetValueAsync(context, cancellationToken);
            values[i] = StringFormats[i] switch
            {
                null => value,
                "uri" => value is null ? null : Uri.EscapeDataString(value),
                var other => throw new InvalidOperationException($"The format '{other}' of a reference expression is unknown; 'uri' is known."),
            };
        }

        return string.Format(CultureInfo.InvariantCulture, Format, values);
    }

    /// <summary>Gets the text, waiting until every value is known.</summary>
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken)
        => GetValueAsync(new ValueProviderContext(), cancellationToken);

    internal static ReferenceExpression FromParts(string format, IReadOnlyList<IValueProvider> valueProviders, IReadOnlyList<string?> stringFormats)
        => new(format, valueProviders, stringFormats);

    /// <summary>What the compiler builds an interpolated string with.</summary>
    [InterpolatedStringHandler]
#pragma warning disable CA1815, CA1034 // the official shape: a nested ref struct that is never compared
    public ref struct ExpressionInterpolatedStringHandler
#pragma warning restore CA1815, CA1034
    {
        private readonly ReferenceExpressionBuilder _builder;

        /// <summary>Starts an expression.</summary>
#pragma warning disable IDE0060 // the compiler passes both
        public ExpressionInterpolatedStringHandler(int literalLength, int formattedCount) => _builder = new();
#pragma warning restore IDE0060

        /// <summary>Adds text.</summary>
        public readonly void AppendLiteral(string value) => _builder.AppendLiteral(value);

        /// <summary>Adds text.</summary>
        public readonly void AppendFormatted(string? value) => _builder.AppendFormatted(value);

        /// <summary>Adds text in a format.</summary>
        public readonly void AppendFormatted(string? value, string? format = null) => _builder.AppendFormatted(value, format);

        /// <summary>Adds a value.</summary>
        public readonly void AppendFormatted<T>(T valueProvider)
            where T : IValueProvider, IManifestExpressionProvider
            => _builder.AppendFormatted(valueProvider, format: null);

        /// <summary>Adds a value in a format.</summary>
        public readonly void AppendFormatted<T>(T valueProvider, string? format = null)
            where T : IValueProvider, IManifestExpressionProvider
            => _builder.AppendFormatted(valueProvider, format);

        /// <summary>Adds a resource's value.</summary>
        public readonly void AppendFormatted<T>(IResourceBuilder<T> valueProvider)
            where T : IResource, IValueProvider, IManifestExpressionProvider
            => _builder.AppendFormatted(valueProvider.Resource, format: null);

        /// <summary>Adds a resource's value in a format.</summary>
        public readonly void AppendFormatted<T>(IResourceBuilder<T> valueProvider, string? format = null)
            where T : IResource, IValueProvider, IManifestExpressionProvider
            => _builder.AppendFormatted(valueProvider.Resource, format);

        internal readonly ReferenceExpression Build() => _builder.Build();
    }
}
