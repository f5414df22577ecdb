# ruff: noqa: S608 - the statements are put together from constants
"""What an inventory asks: one statement for each kind of thing, each giving `key` and `facts`."""

_OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_OWN = "NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = {oid} AND d.classid = '{catalogue}'::regclass"
_OWN += " AND d.deptype = 'e')"


def _own(oid: str, catalogue: str) -> str:
    return f"{_OURS} AND {_OWN.format(oid=oid, catalogue=catalogue)}"


def _acl(acl: str, kind: str, owner: str) -> str:
    return f"""(SELECT coalesce(jsonb_agg(DISTINCT concat(
        CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, ' ', lower(privilege_type),
        CASE WHEN is_grantable THEN ' with grant option' END)), '[]')
        FROM aclexplode(coalesce({acl}, acldefault('{kind}', {owner}))))"""


def _sorted(options: str) -> str:
    """Options in one order: pg_dump writes them in another than they were given in."""
    return f"(SELECT jsonb_agg(o ORDER BY o) FROM unnest({options}) o)"


def _grants(kind: str, key: str, letter: str, owner: str, acl: str, source: str) -> str:
    return f"""SELECT '{kind} ' || {key} AS key, jsonb_build_object('owner', pg_get_userbyid({owner}),
        'grants', {_acl(acl, letter, owner)}) AS facts FROM {source}"""


_TABLESPACE = "(SELECT spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace)"
_RELATION = f"pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND {_own('c.oid', 'pg_class')}"

QUERIES: dict[str, str] = {
    "database": """
        SELECT 'the database' AS key, jsonb_build_object(
            'encoding', pg_encoding_to_char(encoding), 'collate', datcollate, 'ctype', datctype,
            'provider', coalesce(to_jsonb(d)->>'datlocprovider', 'c'), 'locale', coalesce(
                to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale'),
            'connection limit', datconnlimit, 'lets in', datallowconn, 'tablespace', spcname) AS facts
        FROM pg_database d JOIN pg_tablespace s ON s.oid = dattablespace WHERE datname = current_database()""",
    "schema": f"""
        SELECT nspname AS key, '{{}}'::jsonb AS facts FROM pg_namespace n WHERE {_own("n.oid", "pg_namespace")}""",
    "table": f"""
        SELECT c.oid::regclass::text AS key, jsonb_build_object(
            'kind', CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END,
            'persistence', CASE relpersistence WHEN 'u' THEN 'unlogged' ELSE 'logged' END,
            'row security', relrowsecurity, 'row security of the owner', relforcerowsecurity,
            'partition of', (SELECT jsonb_agg(inhparent::regclass::text ORDER BY inhseqno) FROM pg_inherits
                WHERE inhrelid = c.oid),
            'bounds', pg_get_expr(relpartbound, c.oid), 'partition key', pg_get_partkeydef(c.oid),
            'replica identity', relreplident, 'options', to_jsonb(reloptions), 'filled', relispopulated,
            'tablespace', {_TABLESPACE}, 'access method', (SELECT amname FROM pg_am WHERE oid = relam),
            'foreign', (SELECT jsonb_build_object('server', srvname, 'options', {_sorted("ftoptions")})
                FROM pg_foreign_table JOIN pg_foreign_server s ON s.oid = ftserver WHERE ftrelid = c.oid),
            'comment', obj_description(c.oid, 'pg_class'),
            'definition', CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END) AS facts
        FROM {_RELATION} WHERE relkind IN ('r', 'p', 'v', 'm', 'f')""",
    "column": f"""
        SELECT c.oid::regclass || '.' || quote_ident(attname) AS key, jsonb_build_object(
            'type', format_type(atttypid, atttypmod), 'not null', attnotnull, 'identity', attidentity,
            'generated', attgenerated, 'default', pg_get_expr(adbin, adrelid),
            'collation', CASE WHEN attcollation <> 0 THEN attcollation::regcollation::text END,
            'storage', attstorage, 'compression', to_jsonb(a)->>'attcompression',
            'statistics', nullif(attstattarget, -1), 'options', {_sorted("attoptions || attfdwoptions")},
            'grants', (SELECT jsonb_agg(x::text ORDER BY x::text) FROM unnest(attacl) x)) AS facts
        FROM {_RELATION} JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE relkind IN ('r', 'p', 'v', 'm', 'f')""",
    "constraint": f"""
        SELECT coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text) || '.' || conname AS key,
            jsonb_build_object('definition', pg_get_constraintdef(o.oid), 'validated', convalidated,
                'enforced', coalesce((to_jsonb(o)->>'conenforced')::boolean, true)) AS facts
        FROM pg_constraint o JOIN pg_namespace n ON n.oid = connamespace AND {_own("o.oid", "pg_constraint")}
        WHERE contype IN ('c', 'f', 'p', 'u', 'x')""",
    "index": f"""
        SELECT c.oid::regclass::text AS key, jsonb_build_object('definition', pg_get_indexdef(c.oid),
            'valid', indisvalid, 'ready', indisready, 'live', indislive, 'unique', indisunique,
            'clustered', indisclustered, 'replica identity', indisreplident, 'tablespace', {_TABLESPACE},
            'statistics', (SELECT jsonb_object_agg(attname, attstattarget) FROM pg_attribute
                WHERE attrelid = c.oid AND attstattarget >= 0), 'collations',
            (SELECT jsonb_agg(CASE x WHEN 0 THEN '' ELSE x::regcollation::text END) FROM unnest(indcollation) x))
            AS facts
        FROM pg_index i JOIN pg_class c ON c.oid = indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            AND {_own("c.oid", "pg_class")}""",
    "trigger": f"""
        SELECT c.oid::regclass || '.' || CASE WHEN tgisinternal THEN 'foreign key ' || coalesce(
                (SELECT conname FROM pg_constraint WHERE oid = tgconstraint), '') ELSE tgname END AS key,
            jsonb_build_object('definition', jsonb_agg(DISTINCT pg_get_triggerdef(t.oid))
                FILTER (WHERE NOT tgisinternal),
                'enabled', jsonb_agg(DISTINCT tgenabled)) AS facts
        FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            AND {_own("c.oid", "pg_class")} GROUP BY 1
        UNION ALL
        SELECT 'event trigger ' || evtname, jsonb_build_object('enabled', evtenabled, 'on', evtevent,
            'function', evtfoid::regprocedure::text) FROM pg_event_trigger
        UNION ALL
        SELECT c.oid::regclass || ' rule ' || rulename, jsonb_build_object('definition', pg_get_ruledef(r.oid),
            'enabled', ev_enabled) FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class
            JOIN pg_namespace n ON n.oid = c.relnamespace AND {_own("c.oid", "pg_class")}
            WHERE rulename <> '_RETURN'""",
    "policy": f"""
        SELECT c.oid::regclass || '.' || polname AS key, jsonb_build_object('command', polcmd, 'permissive',
            polpermissive, 'roles', (SELECT jsonb_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r) END) FROM
            unnest(polroles) r), 'using', pg_get_expr(polqual, polrelid), 'check', pg_get_expr(polwithcheck, polrelid))
            AS facts
        FROM pg_policy JOIN pg_class c ON c.oid = polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            AND {_own("c.oid", "pg_class")}""",
    "function": f"""
        SELECT p.oid::regprocedure::text AS key, jsonb_build_object('definition', md5(CASE
            WHEN prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) ELSE prosrc END), 'language', lanname,
            'returns', pg_get_function_result(p.oid),
            'settings', to_jsonb(proconfig), 'security definer', prosecdef, 'strict', proisstrict,
            'volatility', provolatile, 'kind', prokind, 'aggregate', (
                SELECT to_jsonb(g) - '{{aggfnoid,aggtranstype,aggmtranstype,aggsortop}}'::text[] || jsonb_build_object(
                    'state', aggtranstype::regtype::text, 'moving state', aggmtranstype::regtype::text,
                    'sort', aggsortop::regoper::text) FROM pg_aggregate g WHERE aggfnoid = p.oid)) AS facts
        FROM pg_proc p JOIN pg_language l ON l.oid = prolang JOIN pg_namespace n ON n.oid = pronamespace
            AND {_own("p.oid", "pg_proc")}""",
    "type": f"""
        SELECT t.oid::regtype::text AS key, jsonb_build_object('kind', typtype,
            'labels', (SELECT jsonb_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
            'base', CASE WHEN typbasetype <> 0 THEN format_type(typbasetype, typtypmod) END, 'not null', typnotnull,
            'default', typdefault, 'range of', (SELECT jsonb_build_array(rngsubtype::regtype::text,
                rngcollation::regcollation::text, opcname, rngcanonical::text, rngsubdiff::text)
                FROM pg_range JOIN pg_opclass o ON o.oid = rngsubopc WHERE rngtypid = t.oid),
            'attributes', (SELECT jsonb_agg(
                concat(attname, ' ', format_type(atttypid, atttypmod))
                ORDER BY attnum) FROM pg_attribute WHERE attrelid = typrelid AND attnum > 0 AND NOT attisdropped))
            AS facts FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace AND {_own("t.oid", "pg_type")}
        WHERE typtype IN ('e', 'd', 'r') OR typtype = 'c' AND EXISTS (
            SELECT FROM pg_class c WHERE c.oid = typrelid AND relkind = 'c')""",
    "sequence": f"""
        SELECT seqrelid::regclass::text AS key, jsonb_build_object('type', seqtypid::regtype::text,
            'step', seqincrement,
            'from', seqmin, 'to', seqmax, 'starts', seqstart, 'cycles', seqcycle, 'cache', seqcache) AS facts
        FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            AND {_own("c.oid", "pg_class")}""",
    "extension": """
        SELECT extname AS key, jsonb_build_object('version', extversion, 'schema', extnamespace::regnamespace::text)
            AS facts FROM pg_extension""",
    "other object": f"""
        SELECT 'publication ' || pubname AS key, to_jsonb(p) - 'oid' - 'pubowner' || jsonb_build_object('tables',
            (SELECT jsonb_agg(concat(schemaname, '.', tablename) ORDER BY 1) FROM pg_publication_tables t
             WHERE t.pubname = p.pubname)) AS facts FROM pg_publication p
        UNION ALL SELECT 'subscription ' || subname, jsonb_build_object('publications', to_jsonb(subpublications))
            FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
        UNION ALL SELECT 'foreign data wrapper ' || fdwname, jsonb_build_object('options', {_sorted("fdwoptions")},
            'handler', fdwhandler::regproc::text, 'validator', fdwvalidator::regproc::text)
            FROM pg_foreign_data_wrapper
        UNION ALL SELECT 'foreign server ' || srvname, jsonb_build_object('wrapper', fdwname, 'kind', srvtype,
            'version', srvversion, 'options', {_sorted("srvoptions")}) FROM pg_foreign_server
            JOIN pg_foreign_data_wrapper w ON w.oid = srvfdw
        UNION ALL SELECT concat('user mapping ', srvname, ' ', usename), jsonb_build_object('options', (
            SELECT jsonb_agg(CASE WHEN o ~ '^user=' THEN o ELSE concat(split_part(o, '=', 1), ' of fingerprint ',
                left(encode(sha256(convert_to(o, 'UTF8')), 'hex'), 4)) END ORDER BY o) FROM unnest(umoptions) o))
            FROM pg_user_mappings
        UNION ALL SELECT 'language ' || lanname, jsonb_build_object('trusted', lanpltrusted, 'handler',
            lanplcallfoid::regproc::text, 'validator', lanvalidator::regproc::text) FROM pg_language
        UNION ALL SELECT concat('collation ', collname), jsonb_build_object('provider', collprovider, 'deterministic',
            collisdeterministic, 'locale', coalesce(to_jsonb(o)->>'colllocale',
                to_jsonb(o)->>'colliculocale', collcollate),
            'ctype', collctype) FROM pg_collation o JOIN pg_namespace n ON n.oid = collnamespace AND {_OURS}
        UNION ALL SELECT 'statistics ' || stxname, jsonb_build_object('definition', pg_get_statisticsobjdef(s.oid),
            'target', nullif(stxstattarget, -1))
            FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = stxnamespace AND {_OURS}
        UNION ALL SELECT 'text search configuration ' || o.oid::regconfig, jsonb_build_object('parser', prsname,
            'words', (SELECT jsonb_agg(concat((SELECT alias FROM ts_token_type(cfgparser) WHERE tokid = maptokentype),
                ' by ', mapdict::regdictionary) ORDER BY maptokentype, mapseqno)
                FROM pg_ts_config_map WHERE mapcfg = o.oid))
            FROM pg_ts_config o JOIN pg_ts_parser p ON p.oid = cfgparser
            JOIN pg_namespace n ON n.oid = cfgnamespace AND {_own("o.oid", "pg_ts_config")}
        UNION ALL SELECT 'text search dictionary ' || o.oid::regdictionary, jsonb_build_object(
            'options', dictinitoption, 'template', tmplname)
            FROM pg_ts_dict o JOIN pg_ts_template t ON t.oid = dicttemplate
            JOIN pg_namespace n ON n.oid = dictnamespace AND {_own("o.oid", "pg_ts_dict")}
        UNION ALL SELECT 'operator ' || o.oid::regoperator, jsonb_build_object('function', oprcode::text,
            'commutator', oprcom::regoper::text, 'negator', oprnegate::regoper::text, 'merges', oprcanmerge,
            'hashes', oprcanhash, 'estimates', jsonb_build_array(oprrest::text, oprjoin::text))
            FROM pg_operator o JOIN pg_namespace n ON n.oid = oprnamespace AND {_own("o.oid", "pg_operator")}
        UNION ALL SELECT concat('operator class ', nspname, '.', opcname, ' of ', amname), jsonb_build_object(
            'type', opcintype::regtype::text, 'default', opcdefault, 'family', opfname,
            'keeps', CASE WHEN opckeytype <> 0 THEN opckeytype::regtype::text END)
            FROM pg_opclass o JOIN pg_am a ON a.oid = opcmethod JOIN pg_opfamily f ON f.oid = opcfamily
            JOIN pg_namespace n ON n.oid = opcnamespace AND {_own("o.oid", "pg_opclass")}
        UNION ALL SELECT concat('operator family ', nspname, '.', opfname, ' of ', amname), jsonb_build_object(
            'operators', (SELECT jsonb_agg(concat(amopstrategy, ' ', amopopr::regoperator, ' ', amoppurpose)
                ORDER BY amopstrategy, amopopr::regoperator::text) FROM pg_amop WHERE amopfamily = o.oid),
            'functions', (SELECT jsonb_agg(concat(amprocnum, ' ', amproc::regprocedure)
                ORDER BY amprocnum, amproc::regprocedure::text) FROM pg_amproc WHERE amprocfamily = o.oid))
            FROM pg_opfamily o JOIN pg_am a ON a.oid = opfmethod
            JOIN pg_namespace n ON n.oid = opfnamespace AND {_own("o.oid", "pg_opfamily")}
        UNION ALL SELECT concat('cast ', format_type(castsource, NULL), ' to ', format_type(casttarget, NULL)),
            jsonb_build_object('context', castcontext, 'method', castmethod, 'function', castfunc::regprocedure::text)
            FROM pg_cast c WHERE c.oid >= 16384""",
    "role": r"""
        SELECT rolname AS key, jsonb_build_object('superuser', rolsuper, 'inherits', rolinherit, 'creates roles',
            rolcreaterole, 'creates databases', rolcreatedb, 'logs in', rolcanlogin, 'replicates', rolreplication,
            'bypasses row security', rolbypassrls, 'connection limit', rolconnlimit, 'valid until',
            nullif(rolvaliduntil, 'infinity'), 'member of', (SELECT jsonb_agg(DISTINCT concat(pg_get_userbyid(roleid),
                CASE WHEN admin_option THEN ' with admin option' END,
                CASE WHEN to_jsonb(m)->>'inherit_option' = 'false' THEN ' without inheriting' END,
                CASE WHEN to_jsonb(m)->>'set_option' = 'false' THEN ' without set role' END))
                FROM pg_auth_members m WHERE member = r.oid)) AS facts
        FROM pg_roles r WHERE rolname !~ '^pg_'""",
    "secret": """
        SELECT rolname AS key, jsonb_build_object('fingerprint',
            left(encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex'), 12)) AS facts
        FROM pg_authid WHERE rolpassword IS NOT NULL""",
    "setting": """
        SELECT concat(CASE setdatabase WHEN 0 THEN 'everywhere' ELSE 'in this database' END, ' for ',
            CASE setrole WHEN 0 THEN 'everybody' ELSE pg_get_userbyid(setrole) END, ': ', split_part(x, '=', 1)) AS key,
            jsonb_build_object('value', substr(x, strpos(x, '=') + 1)) AS facts
        FROM pg_db_role_setting, unnest(setconfig) x WHERE setdatabase IN (
            0, (SELECT oid FROM pg_database WHERE datname = current_database()))""",
    "grant": " UNION ALL ".join(
        (
            _grants(
                "relation",
                "c.oid::regclass",
                "r",
                "relowner",
                "relacl",
                f"{_RELATION} AND relkind IN ('r','p','v','m','f')",
            ),
            _grants("sequence", "c.oid::regclass", "s", "relowner", "relacl", f"{_RELATION} AND relkind = 'S'"),
            _grants("schema", "nspname", "n", "nspowner", "nspacl", f"pg_namespace n WHERE {_OURS}"),
            _grants(
                "function",
                "p.oid::regprocedure",
                "f",
                "proowner",
                "proacl",
                f"pg_proc p JOIN pg_namespace n ON n.oid = pronamespace AND {_own('p.oid', 'pg_proc')}",
            ),
            _grants(
                "type",
                "t.oid::regtype",
                "T",
                "typowner",
                "typacl",
                f"pg_type t JOIN pg_namespace n ON n.oid = typnamespace AND {_own('t.oid', 'pg_type')} "
                "WHERE typtype IN ('e', 'd', 'r')",
            ),
            _grants("large object", "m.oid", "L", "lomowner", "lomacl", "pg_largeobject_metadata m"),
            _grants("foreign server", "srvname", "S", "srvowner", "srvacl", "pg_foreign_server"),
            _grants(
                "the", "text 'database'", "d", "datdba", "datacl", "pg_database WHERE datname = current_database()"
            ),
            """SELECT concat('default of ', pg_get_userbyid(defaclrole), ' in ', coalesce(nspname, 'every schema'),
                ' for ', defaclobjtype), jsonb_build_object('grants', (SELECT jsonb_agg(x::text ORDER BY x::text) FROM
                unnest(defaclacl) x)) FROM pg_default_acl LEFT JOIN pg_namespace n ON n.oid = defaclnamespace""",
        )
    ),
}
"""By kind of thing. Nothing in them depends on numbers that another cluster gives anew."""
