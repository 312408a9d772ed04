using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Builds a reference expression piece by piece.</summary>
public class ReferenceExpressionBuilder
{
    private readonly StringBuilder _format = new();
    private readonly List<IValueProvider> _valueProviders = [];
    private readonly List<string?> _stringFormats = [];

    /// <summary>Whether nothing has been added.</summary>
    public bool IsEmpty => _format.Length == 0;

    /// <summary>Adds an interpolated string.</summary>
#pragma warning disable CA1822, IDE0060 // the handler has written into this builder already
    public void Append([InterpolatedStringHandlerArgument("")] in ReferenceExpressionBuilderInterpolatedStringHandler handler)
#pragma warning restore CA1822, IDE0060
    {
    }

    /// <summary>Adds text.</summary>
    public void AppendLiteral(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _format.Append(value.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal));
    }

    /// <summary>Adds text; null adds nothing.</summary>
    public void AppendFormatted(string? value)
    {
        if (value is not null)
        {
            AppendLiteral(value);
        }
    }

    /// <summary>Adds text in a format; null adds nothing.</summary>
    public void AppendFormatted(string? value, string? format = null)
        => AppendFormatted(value is not null && format == "uri" ? Uri.EscapeDataString(value) : value);

    /// <summary>Adds a value.</summary>
    public void AppendFormatted<T>(T valueProvider)
        where T : IValueProvider, IManifestExpressionProvider
        => AppendFormatted(valueProvider, format: null);

    /// <summary>Adds a value in a format.</summary>
    public void AppendFormatted<T>(T valueProvider, string? format)
        where T : IValueProvider, IManifestExpressionProvider
        => AppendValueProvider(valueProvider, format);

    /// <summary>Adds a value in a format.</summary>
    public void AppendValueProvider(object valueProvider, string? format = null)
    {
        if (valueProvider is not (IValueProvider value and IManifestExpressionProvider))
        {
            throw new ArgumentException("The value is neither a value provider nor an expression.", nameof(valueProvider));
        }

        _format.Append(CultureInfo.InvariantCulture, $"{{{_valueProviders.Count}}}");
        _valueProviders.Add(value);
        _stringFormats.Add(format);
    }

    /// <summary>Finishes the expression.</summary>
    public ReferenceExpression Build() => ReferenceExpression.FromParts(_format.ToString(), [.. _valueProviders], [.. _stringFormats]);

    /// <summary>What the compiler builds an interpolated string with.</summary>
    [InterpolatedStringHandler]
#pragma warning disable CA1815, CA1034 // the official shape: a nested ref struct that is never compared
    public readonly ref struct ReferenceExpressionBuilderInterpolatedStringHandler
#pragma warning restore CA1815, CA1034
    {
        private readonly ReferenceExpressionBuilder _builder;

        /// <summary>Starts writing into a builder.</summary>
#pragma warning disable IDE0060 // the compiler passes all three
        public ReferenceExpressionBuilderInterpolatedStringHandler(int literalLength, int formattedCount, ReferenceExpressionBuilder builder)
#pragma warning restore IDE0060
            => _builder = builder;

        /// <summary>Adds text.</summary>
        public void AppendLiteral(string value) => _builder.AppendLiteral(value);

        /// <summary>Adds text.</summary>
        public void AppendFormatted(string? value) => _builder.AppendFormatted(value);

        /// <summary>Adds text in a format.</summary>
        public void AppendFormatted(string? value, string format) => _builder.AppendFormatted(value, format);

        /// <summary>Adds a value.</summary>
        public void AppendFormatted<T>(T valueProvider)
            where T : IValueProvider, IManifestExpressionProvider
            => _builder.AppendFormatted(valueProvider, format: null);

        /// <summary>Adds a value in a format.</summary>
        public void AppendFormatted<T>(T valueProvider, string? format)
            where T : IValueProvider, IManifestExpressionProvider
            => _builder.AppendFormatted(valueProvider, format);

        /// <summary>Adds a resource's value.</summary>
        public void AppendFormatted<T>(IResourceBuilder<T> valueProvider)
            where T : IResource, IValueProvider, IManifestExpressionProvider
            => _builder.AppendFormatted(valueProvider.Resource, format: null);

        /// <summary>Adds a resource's value in a format.</summary>
        public void AppendFormatted<T>(IResourceBuilder<T> valueProvider, string? format)
            where T : IResource, IValueProvider, IManifestExpressionProvider
            => _builder.AppendFormatted(valueProvider.Resource, format);
    }
}
