using System.Text;

namespace Aspire.Hosting.Dcp;

/// <summary>dcp expands arguments and variables as Go templates: what is meant literally must be escaped.</summary>
internal static class DcpTemplate
{
    private const string Open = "{{";

    /// <summary>The expression for the port that dcp reserves for one copy of a replicated resource.</summary>
    public static string PortForServing(string serviceName) => $$$"""{{portForServing "{{{serviceName}}}"}}""";

    /// <summary>Escapes everything but the given expressions.</summary>
    public static string Escape(string value, IReadOnlyCollection<string> expressions)
    {
        if (!value.Contains(Open, StringComparison.Ordinal))
        {
            return value;
        }

        var result = new StringBuilder();
        for (var i = 0; i < value.Length;)
        {
            var rest = value.AsSpan(i);
            var expression = expressions.FirstOrDefault(e => value.AsSpan(i).StartsWith(e, StringComparison.Ordinal));
            if (expression is not null)
            {
                result.Append(expression);
                i += expression.Length;
            }
            else if (rest[0] == '{')
            {
                // Each brace by itself, so that one before an expression does not become a part of it.
                result.Append("""{{"{"}}""");
                i++;
            }
            else
            {
                result.Append(rest[0]);
                i++;
            }
        }

        return result.ToString();
    }
}
